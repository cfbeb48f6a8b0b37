// The description of the server API as a page: what there is, and a form to try each call.
const byId = (id) => document.getElementById(id);
let token;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'text') made.textContent = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A schema in the words of a reader: `{name: text, label: text | null}`. */
function describe(schema, schemas, seen = []) {
  if (!schema) return '';
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop();
    return seen.includes(name) ? name : describe(schemas[name], schemas, [...seen, name]);
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return variants.map((variant) => describe(variant, schemas, seen)).join(' | ');
  if (schema.type === 'array') return `[${describe(schema.items, schemas, seen)}, …]`;
  if (schema.properties) {
    const required = new Set(schema.required ?? []);
    const members = Object.entries(schema.properties).map(([name, member]) => {
      const text = describe(member, schemas, seen).replaceAll('\n', '\n  ');
      return `  ${name}${required.has(name) ? '' : '?'}: ${text}`;
    });
    return `{\n${members.join(',\n')}\n}`;
  }
  if (schema.additionalProperties) return `{ key: ${describe(schema.additionalProperties, schemas, seen)}, … }`;
  const type = [schema.type ?? 'any JSON'].flat().join(' | ');
  return schema.format ? `${type} (${schema.format})` : type;
}

const contentOf = (part) => Object.values(part?.content ?? {})[0]?.schema;

function field(parameter, schemas) {
  const mark = parameter.required ? ' *' : '';
  const input = element('input', { placeholder: describe(parameter.schema, schemas) });
  const label = element('label', { text: `${parameter.name}${mark} ` }, input);
  if (parameter.description) label.title = parameter.description;
  return { parameter, input, label };
}

function targetOf(path, fields) {
  const query = new URLSearchParams();
  let target = path;
  for (const { parameter, input } of fields) {
    if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value !== '') query.append(parameter.name, input.value);
  }
  return query.size > 0 ? `${target}?${query}` : target;
}

async function send(method, target, body) {
  const headers = { ...(token ? { 'X-Authorization': `Bearer ${token}` } : {}) };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const response = await fetch(target, { method, headers, body });
  return { status: response.status, text: await response.text() };
}

function callForm(method, path, operation, schemas) {
  const fields = (operation.parameters ?? []).map((parameter) => field(parameter, schemas));
  const bodySchema = contentOf(operation.requestBody);
  const takesJson = operation.requestBody?.content['application/json'] !== undefined;
  const body = takesJson ? element('textarea', { 'aria-label': 'Body', spellcheck: 'false' }) : undefined;
  const answer = element('pre', { hidden: '', 'aria-live': 'polite' });
  const button = element('button', { type: 'button', text: 'Send' });
  button.addEventListener('click', async () => {
    answer.hidden = false;
    answer.textContent = '…';
    try {
      const { status, text } = await send(method.toUpperCase(), targetOf(path, fields), body?.value);
      answer.textContent = `${status}\n${text}`;
    } catch (error) {
      answer.textContent = String(error);
    }
  });
  const call = element('div', { class: 'call' });
  if (operation['x-authorities']) call.append(element('div', { text: `For ${operation['x-authorities'].join(', ')}` }));
  if (bodySchema)
    call.append(element('div', { text: 'Body' }), element('pre', { text: describe(bodySchema, schemas) }));
  const success = Object.values(operation.responses)[0];
  const shape = contentOf(success);
  call.append(element('div', { text: `Answer: ${success.description}` }));
  if (shape) call.append(element('pre', { text: describe(shape, schemas) }));
  if (fields.length > 0) call.append(element('div', { class: 'fields' }, ...fields.map(({ label }) => label)));
  if (body) call.append(body);
  call.append(element('div', {}, button), answer);
  return call;
}

function entry(method, path, operation, schemas) {
  const title = element(
    'summary',
    {},
    element('span', { class: 'method', text: method.toUpperCase() }),
    element('code', { text: path }),
    element('span', { text: operation.summary }),
  );
  const details = element('details', {}, title);
  details.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
  // Made when it is looked at: there are many.
  details.addEventListener('toggle', () => {
    if (details.open && details.children.length === 1) details.append(callForm(method, path, operation, schemas));
  });
  return details;
}

function show({ info, paths, tags, components }) {
  byId('version').textContent = `Version ${info.version}.`;
  const groups = new Map(tags.map(({ name }) => [name, element('section', {}, element('h2', { text: name }))]));
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      groups.get(operation.tags[0])?.append(entry(method, path, operation, components.schemas));
    }
  }
  byId('calls').replaceChildren(...groups.values());
}

byId('find').addEventListener('input', ({ target }) => {
  const wanted = target.value.toLowerCase();
  for (const details of document.querySelectorAll('details')) details.hidden = !details.dataset.words.includes(wanted);
});

byId('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  const credentials = { username: byId('username').value, password: byId('password').value };
  const { status, text } = await send('POST', '/api/auth/login', JSON.stringify(credentials));
  token = status === 200 ? JSON.parse(text).token : undefined;
  byId('session').textContent = token
    ? `Logged in as ${credentials.username}.`
    : `Not logged in: ${JSON.parse(text).message}`;
  byId('password').value = '';
});

fetch('/openapi.json')
  .then((response) => response.json())
  .then(show)
  .catch((error) => {
    byId('calls').textContent = `The description cannot be loaded: ${error}`;
  });
