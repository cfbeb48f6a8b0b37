// The server API as its own rows describe it, for docs/reference: the OpenAPI document, and a page to read.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import core from '../packages/core/dist/index.js';
import version from '../packages/gateway/dist/version.js';
import serverApi from '../packages/server-api/dist/index.js';
import embedded from '../packages/state-embedded/dist/index.js';

/** The rows are made over a store: over an empty one here, that is gone afterwards. */
export async function describeServerApi() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tandem-describe-'));
  const settings = core.readSettings({});
  const platform = {
    clock: core.systemClock,
    random: core.systemRandom,
    logger: core.silentLogger,
    metrics: new core.MetricsRegistry(),
  };
  const state = await embedded.openEmbeddedState({
    folder,
    durability: 'process',
    ...embedded.boundsOf(settings),
    minFreeBytes: 1,
    ...platform,
  });
  const api = await serverApi.createServerApi(core.makeCore(state, settings, platform), version.version());
  const document = api.describe();
  await api.close(0);
  await state.close();
  fs.rmSync(folder, { recursive: true });
  return document;
}

export function serverApiPage({ paths, tags }, generated) {
  const calls = Object.entries(paths).flatMap(([target, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ target, method: method.toUpperCase(), ...operation })),
  );
  const sections = tags.map(({ name }) => {
    const rows = calls.filter((call) => call.tags[0] === name).map(row);
    return `## ${name}\n\n| Call | Does | For |\n|---|---|---|\n${rows.join('\n')}`;
  });
  return `${generated}
# Server API

Every call, and who may make it. What each takes and answers is in [openapi.json](openapi.json), which a running gateway
serves as well, as \`/openapi.json\` and as a page to read and try at \`/openapi/\`. How logins, pages and errors go:
[the guide](../guides/server-api.md).

${sections.join('\n\n')}
`;
}

const WHO = { SYS_ADMIN: 'system administrator', TENANT_ADMIN: 'tenant', CUSTOMER_USER: 'customer' };

function row({ method, target, summary, security, 'x-authorities': authorities = [] }) {
  const who = security ? 'anybody' : authorities.map((authority) => WHO[authority]).join(', ');
  return `| \`${method} ${target}\` | ${summary} | ${who} |`;
}
