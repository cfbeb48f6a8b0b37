import { TandemError } from '@tandem/core';
import { exactly, listOf, nullable, TEXT } from '../json/schema';
import { ServerUnderTest } from '../testing/server-under-test';
import { Components } from './components';

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, { readonly operationId: string; readonly security?: unknown[] }>>;
}

describe('the description of the server API', () => {
  let server: ServerUnderTest;
  let document: Document;
  beforeAll(async () => {
    server = await ServerUnderTest.start();
    document = (await server.call('GET', '/openapi.json')).json();
  });
  afterAll(() => server.stop());

  it('names every call, each by an id of its own, and says which need no login', () => {
    expect(document.openapi).toBe('3.1.0');
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { security }]) => [`${method.toUpperCase()} ${path}`, security]),
    );
    const served = server.api.routes.map(({ method, path, authorities }) => [
      `${method} ${path}`,
      authorities === 'public' ? [] : undefined,
    ]);
    expect(described.sort()).toEqual(served.sort());
    const ids = Object.values(document.paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('gives every body in JSON a schema that bodies can be held to', () => {
    const bodies = server.api.routes.flatMap(({ method, path, body }) =>
      body && 'read' in body ? [{ call: `${method} ${path}`, body }] : [],
    );
    expect(bodies.length).toBeGreaterThan(20);
    const broken = bodies.filter(({ body }) => {
      try {
        body.read(Buffer.from('{}'));
        return false;
      } catch (error) {
        return !(error instanceof TandemError);
      }
    });
    expect(broken.map(({ call }) => call)).toEqual([]);
  });

  it.each([
    ['/openapi/', 'text/html; charset=utf-8'],
    ['/openapi/page.js', 'text/javascript; charset=utf-8'],
    ['/openapi/page.css', 'text/css; charset=utf-8'],
  ])('is a page for people: %s', async (path, type) => {
    const answer = await server.call('GET', path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(answer.text.length).toBeGreaterThan(500);
  });

  it.each(['/openapi', '/swagger-ui', '/swagger-ui/', '/swagger-ui.html'])('is found from %s', async (path) => {
    const answer = await server.call('GET', path);
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/openapi/']);
  });

  it('leaves every other path to others', async () => {
    expect((await server.call('GET', '/openapi/other.js')).text).toBe('passed on');
  });
});

describe('schemas with a title', () => {
  it('stand once, by their name, also inside others', () => {
    const components = new Components();
    const inner = exactly('Inner', { title: TEXT });
    expect(components.refer(listOf(nullable(inner)))).toEqual({
      type: 'array',
      items: { anyOf: [{ $ref: '#/components/schemas/Inner' }, { type: 'null' }] },
    });
    expect(components.refer(inner)).toEqual({ $ref: '#/components/schemas/Inner' });
    expect(Object.keys(components.schemas)).toEqual(['Inner']);
  });

  it('cannot have the name of another', () => {
    const components = new Components();
    components.refer(exactly('Same', { a: TEXT }));
    expect(() => components.refer(exactly('Same', { b: TEXT }))).toThrow('two schemas have the name Same');
  });
});
