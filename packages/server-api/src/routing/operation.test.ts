import { METRICS } from '@tandem/core';
import { ServerUnderTest } from '../testing/server-under-test';
import { operationOf } from './operation';

describe('Every call of the server API', () => {
  let server: ServerUnderTest;
  beforeAll(async () => {
    server = await ServerUnderTest.start();
  });
  afterAll(() => server.stop());

  it('is counted under the heading that OpenAPI has for it, and none as `other`', () => {
    const others = server.api.routes.filter((route) => operationOf(route) === 'other');
    expect(others.map(({ method, path, tag }) => `${method} ${path} (${tag})`)).toEqual([]);
    const used = new Set(server.api.routes.map(operationOf));
    const named = Object.entries(METRICS.tandem_requests_total.labels.operation)
      .filter(([, meaning]) => meaning.startsWith('server API'))
      .map(([operation]) => operation);
    expect(named.filter((operation) => !used.has(operation as never))).toEqual([]);
  });
});
