import { EMPTY, expectAnswer, type HttpExpectation, http } from './framework/http-vector';
import type { Vector } from './framework/vector';

const ALL = {
  client: {
    attribute1: 'value1',
    attribute2: true,
    attribute3: 42,
    attribute4: 73,
    attribute5: { someNumber: 42 },
  },
  shared: { shared1: 'v', shared2: 7 },
};
const JSON_TYPE = { 'content-type': expect.stringMatching(/^application\/json/) };

const read = (no: string, query: string, json: unknown, more: Partial<HttpExpectation> = {}): Vector =>
  http(no, `GET /tokA/attributes${query}`, {}, { status: 200, json, headers: JSON_TYPE, ...more });

/** Contract 8.5. */
export const HTTP_ATTRIBUTES: readonly Vector[] = [
  read('148', '', ALL),
  read('149', '?clientKeys=attribute1,attribute2&sharedKeys=shared1,shared2', {
    client: { attribute1: 'value1', attribute2: true },
    shared: { shared1: 'v', shared2: 7 },
  }),
  read('150', '?clientKeys=attribute1,attribute2', { client: { attribute1: 'value1', attribute2: true } }),
  read('151', '?sharedKeys=shared2', { shared: { shared2: 7 } }),
  read('152', '?clientKeys=attribute1,zzz', { client: { attribute1: 'value1' } }),
  read('153', '?clientKeys=zzz', {}, { text: '{}' }),
  read('154', '?clientKeys=zzz&sharedKeys=shared1', { shared: { shared1: 'v' } }),
  read('155', '?clientKeys=attribute1,%20attribute2', { client: { attribute1: 'value1' } }),
  read('156', '?clientKeys=&sharedKeys=', ALL),
  read('157', '?clientKeys=attribute5', { client: { attribute5: { someNumber: 42 } } }),
  read('158', '?clientKeys=attribute3', { client: { attribute3: 42 } }, { text: expect.stringContaining('42.0') }),
  http('159', 'GET /tok1/attributes', {}, { status: 200, text: '{}', headers: JSON_TYPE }),
  http('160', 'GET /nope/attributes', {}, { status: 401, ...EMPTY }),
  {
    no: '161',
    says: 'SERVER attribute provisionState exists; GET /tok1/attributes',
    async run(scene) {
      await scene.saveServerAttributes('tok1', { provisionState: 'provisioned' });
      expect(await scene.attributes('tok1', 'SERVER_SCOPE')).toContain('provisionState STRING "provisioned"');
      for (const query of ['', '?clientKeys=provisionState', '?sharedKeys=provisionState&clientKeys=provisionState']) {
        expectAnswer(await scene.http(`GET /tok1/attributes${query}`), { status: 200, text: '{}' });
      }
    },
  },
  {
    no: '162',
    says: 'POST client attribute a=1, then a=null, then GET',
    async run(scene) {
      for (const body of ['{"a":1}', '{"a":null}']) {
        expectAnswer(await scene.http('POST /tok1/attributes', body), { status: 200, ...EMPTY });
      }
      expectAnswer(await scene.http('GET /tok1/attributes'), { status: 200, text: '{"client":{"a":1}}' });
    },
  },
];
