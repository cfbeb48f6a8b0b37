import { trustedValue } from '@tandem/core';
import { TestGateway } from './testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
  const { id } = await gateway.device('tokA');
  await gateway.post(
    '/tokA/attributes',
    '{"attribute1":"value1","attribute2":true,"attribute3":42.0,"attribute4":73,"attribute5":{"someNumber":42}}',
  );
  const { attributes } = gateway.core;
  await attributes.saveFromServer(id, 'SHARED', [
    { key: 'shared1', value: trustedValue('"v"') },
    { key: 'shared2', value: trustedValue('7') },
    { key: 'with space', value: trustedValue('1') },
    { key: 'a+b', value: trustedValue('2') },
  ]);
  await attributes.saveFromServer(id, 'SERVER', [{ key: 'provisionState', value: trustedValue('"provisioned"') }]);
  await gateway.device('tok1');
});
afterAll(() => gateway.stop());

const CLIENT = {
  attribute1: 'value1',
  attribute2: true,
  attribute3: 42,
  attribute4: 73,
  attribute5: { someNumber: 42 },
};
const SHARED = { shared1: 'v', shared2: 7, 'with space': 1, 'a+b': 2 };

it.each([
  ['TV-148', '', { client: CLIENT, shared: SHARED }],
  [
    'TV-149',
    '?clientKeys=attribute1,attribute2&sharedKeys=shared1,shared2',
    { client: { attribute1: 'value1', attribute2: true }, shared: { shared1: 'v', shared2: 7 } },
  ],
  ['TV-150', '?clientKeys=attribute1,attribute2', { client: { attribute1: 'value1', attribute2: true } }],
  ['TV-151', '?sharedKeys=shared2', { shared: { shared2: 7 } }],
  ['TV-152', '?clientKeys=attribute1,zzz', { client: { attribute1: 'value1' } }],
  ['TV-153', '?clientKeys=zzz', {}],
  ['TV-154', '?clientKeys=zzz&sharedKeys=shared1', { shared: { shared1: 'v' } }],
  ['TV-155', '?clientKeys=attribute1,%20attribute2', { client: { attribute1: 'value1' } }],
  ['TV-156', '?clientKeys=&sharedKeys=', { client: CLIENT, shared: SHARED }],
  ['TV-157', '?clientKeys=attribute5', { client: { attribute5: { someNumber: 42 } } }],
  ['TV-161', '?clientKeys=provisionState&sharedKeys=provisionState', {}],
  ['1.3.1: a comma alone is no list', '?sharedKeys=,', { client: CLIENT, shared: SHARED }],
  ['1.3.1: a comma beside a list', '?clientKeys=attribute1&sharedKeys=,,', { client: { attribute1: 'value1' } }],
  ['1.3.1: empty names', '?clientKeys=,attribute1,,attribute4,,', { client: { attribute1: 'value1', attribute4: 73 } }],
  [
    '1.3.1: repeated',
    '?clientKeys=attribute1&clientKeys=attribute4',
    { client: { attribute1: 'value1', attribute4: 73 } },
  ],
  ['a name twice', '?clientKeys=attribute1,attribute1', { client: { attribute1: 'value1' } }],
  ['%20 and + are spaces', '?sharedKeys=with%20space,with+space,a%2Bb', { shared: { 'with space': 1, 'a+b': 2 } }],
  ['broken percent-encoding is no name', '?sharedKeys=%zz,shared2', { shared: { shared2: 7 } }],
  ['other parameters are ignored', '?keys=shared2', { client: CLIENT, shared: SHARED }],
])('%s: GET /tokA/attributes%s', async (_vector, query, expected) => {
  const answer = await gateway.get(`/tokA/attributes${query}`);
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.headers.etag).toBeUndefined();
  expect(JSON.parse(answer.text)).toEqual(expected);
});

it('TV-158: a double shows that it is one', async () => {
  expect((await gateway.get('/tokA/attributes?clientKeys=attribute3')).text).toContain('42.0');
});

it('TV-159: a device without attributes gets {}', async () => {
  expect(await gateway.get('/tok1/attributes')).toMatchObject({ status: 200, text: '{}' });
});

it('TV-160: a stranger gets 401 without a body', async () => {
  expect(await gateway.get('/nope/attributes')).toMatchObject({ status: 401, text: '' });
});

it('TV-162: null does not clear an attribute', async () => {
  const { token } = await gateway.device();
  await gateway.post(`/${token}/attributes`, '{"a":1}');
  expect(await gateway.post(`/${token}/attributes`, '{"a":null}')).toMatchObject({ status: 200 });
  expect((await gateway.get(`/${token}/attributes`)).text).toBe('{"client":{"a":1}}');
});

it('answers 200 whatever Accept says', async () => {
  const answer = await gateway.send('GET', '/tokA/attributes?sharedKeys=shared2', {
    headers: { Accept: 'text/plain' },
  });
  expect(answer).toMatchObject({ status: 200, text: '{"shared":{"shared2":7}}' });
});
