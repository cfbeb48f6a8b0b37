import type { QueryParameter } from '../routing/query-parameters';
import type { Route } from '../routing/route';
import { Components } from './components';

/** What of a route is described. */
export type Described = Pick<
  Route,
  'method' | 'path' | 'tag' | 'summary' | 'query' | 'body' | 'answer' | 'authorities'
> & {
  readonly refusal?: 'json' | 'text';
};

/** The server API as an OpenAPI 3.1 document, made of the rows that serve it. @param version of the gateway */
export function openApiDocument(routes: readonly Described[], version: string): object {
  const components = new Components();
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tandem server API',
      version,
      description: "The part of ThingsBoard's REST API that drives devices.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    security: [{ token: [] }],
    paths: sorted(paths),
    components: {
      securitySchemes: {
        token: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Authorization',
          description: '`Bearer <token>`, as the login answers it, or `ApiKey <key>`',
        },
      },
      schemas: sorted(components.schemas),
      responses: REFUSALS,
    },
  };
}

function operation(route: Described, components: Components): object {
  const parameters = [...pathParameters(route.path), ...(route.query ?? []).map(queryParameter)];
  return {
    tags: [tagOf(route)],
    summary: route.summary,
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[^A-Za-z0-9]+(\w?)/g, (_, first) => first.toUpperCase())}`,
    ...(route.authorities === 'public' ? { security: [] } : { 'x-authorities': route.authorities }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body ? { requestBody: requestBody(route.body, components) } : {}),
    responses: {
      ...success(route, components),
      ...(route.authorities === 'public' ? {} : { 401: { $ref: '#/components/responses/Refused' } }),
      default: { $ref: `#/components/responses/${route.refusal === 'text' ? 'RefusedInText' : 'Refused'}` },
    },
  };
}

function success({ answer }: Described, components: Components): object {
  switch (answer.kind) {
    case 'json':
      return {
        200: { description: 'Done', content: { 'application/json': { schema: components.refer(answer.schema) } } },
      };
    case 'text':
      return { 200: { description: 'Done', content: { 'text/plain': { schema: { type: 'string' } } } } };
    case 'bytes':
      return { 200: { description: 'Done', content: { 'application/octet-stream': {} } } };
    case 'redirect':
      return { 303: { description: 'Go on there', headers: { Location: { schema: { type: 'string' } } } } };
    case 'empty':
      return { 200: { description: 'Done, and nothing to say' } };
  }
}

const requestBody = (
  { schema, contentType = 'application/json' }: NonNullable<Route['body']>,
  components: Components,
) => ({
  required: true,
  content: { [contentType]: { schema: components.refer(schema) } },
});

const queryParameter = ({ name, required = false, schema, description }: QueryParameter): object => ({
  name,
  in: 'query',
  required,
  schema,
  ...(description ? { description } : {}),
});

const pathParameters = (path: string): object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: PATH_SCHEMAS[name] ?? (name.endsWith('Id') ? { type: 'string', format: 'uuid' } : { type: 'string' }),
  }));

const PATH_SCHEMAS: Readonly<Record<string, object>> = {
  entityType: { enum: ['DEVICE'] },
  ttl: { type: 'integer', description: 'Seconds' },
};

const ERROR = {
  type: 'object',
  required: ['status', 'message', 'errorCode', 'timestamp'],
  properties: {
    status: { type: 'integer' },
    message: { type: 'string' },
    errorCode: { type: 'integer' },
    timestamp: { type: 'integer', format: 'int64' },
  },
};

const REFUSALS = {
  Refused: { description: 'Why it is not done', content: { 'application/json': { schema: ERROR } } },
  RefusedInText: {
    description: 'Why it is not done: 400, 403 and 404 in bare text',
    content: { 'text/plain': { schema: { type: 'string' } }, 'application/json': { schema: ERROR } },
  },
};

const tagOf = ({ tag = 'Other' }: Described): string => tag;

const sorted = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
