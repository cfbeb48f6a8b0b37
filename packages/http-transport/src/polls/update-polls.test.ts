import { type KeyValue, trustedValue } from '@tandem/core';
import { type TestDevice, TestGateway, until } from '../testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start({
    settings: { HTTP_REQUEST_TIMEOUT: '200', HTTP_MAX_REQUEST_TIMEOUT: '5000', TANDEM_HTTP_MAX_POLLS: '3' },
  });
});
afterAll(() => gateway.stop());

const entries = (values: Readonly<Record<string, string>>): KeyValue[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: trustedValue(value) }));
const save = ({ id }: TestDevice, values: Readonly<Record<string, string>>, scope: 'SHARED' | 'SERVER' = 'SHARED') =>
  gateway.core.attributes.saveFromServer(id, scope, entries(values));
const poll = ({ token }: TestDevice, timeout = 5000) => gateway.get(`/${token}/attributes/updates?timeout=${timeout}`);
const EXPIRED = { status: 408, text: '', headers: { 'content-length': '0' } };

it('TV-163: without a change the poll ends with 408 when its time is over', async () => {
  const device = await gateway.device();
  const start = performance.now();
  expect(await poll(device, 300)).toMatchObject(EXPIRED);
  expect(performance.now() - start).toBeGreaterThan(280);
});

it('TV-164: a save answers the open poll with the flat object', async () => {
  const device = await gateway.device();
  const answer = poll(device);
  await gateway.polls(1);
  await save(device, { shared1: '"new"' });
  expect(await answer).toMatchObject({
    status: 200,
    text: '{"shared1":"new"}',
    headers: { 'content-type': 'application/json' },
  });
  expect(gateway.openPolls).toBe(0);
});

it('TV-165: one save of two keys is one event', async () => {
  const device = await gateway.device();
  const answer = poll(device);
  await gateway.polls(1);
  await save(device, { shared1: '1', x: 'true' });
  expect(JSON.parse((await answer).text)).toEqual({ shared1: 1, x: true });
});

it('TV-166: a deletion names the keys', async () => {
  const device = await gateway.device();
  await save(device, { shared1: '1', shared2: '2' });
  const answer = poll(device);
  await gateway.polls(1);
  await gateway.core.attributes.delete(device.id, 'SHARED', ['shared1', 'shared2']);
  const { deleted } = JSON.parse((await answer).text);
  expect(deleted.sort()).toEqual(['shared1', 'shared2']);
});

it('TV-167: of two saves during one poll the next poll gets the second at once', async () => {
  const device = await gateway.device();
  const answer = poll(device);
  await gateway.polls(1);
  await Promise.all([save(device, { a: '1' }), save(device, { b: '2' })]);
  expect((await answer).text).toBe('{"a":1}');
  expect((await poll(device)).text).toBe('{"b":2}');
});

it('TV-168: the first poll of a device starts at now', async () => {
  const device = await gateway.device();
  await save(device, { a: '1' });
  expect(await poll(device, 100)).toMatchObject(EXPIRED);
});

it('TV-168a: what is saved between two polls is delivered, one event per poll', async () => {
  const device = await gateway.device();
  expect(await poll(device, 50)).toMatchObject(EXPIRED);
  await save(device, { b: '1' });
  await save(device, { c: '2' });
  expect((await poll(device)).text).toBe('{"b":1}');
  expect((await poll(device)).text).toBe('{"c":2}');
  expect(await poll(device, 100)).toMatchObject(EXPIRED);
});

it('TV-169: every open poll gets the event', async () => {
  const device = await gateway.device();
  const answers = [poll(device), poll(device)];
  await gateway.polls(2);
  await save(device, { a: '1' });
  expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['{"a":1}', '{"a":1}']);
});

it('TV-170, TV-171: neither the device itself nor SERVER attributes wake a poll', async () => {
  const device = await gateway.device();
  const answer = poll(device, 200);
  await gateway.polls(1);
  await gateway.post(`/${device.token}/attributes`, '{"a":1}');
  await save(device, { a: '1' }, 'SERVER');
  expect(await answer).toMatchObject(EXPIRED);
});

it('TV-172: a negative time-out expires at once', async () => {
  const device = await gateway.device();
  expect(await poll(device, -1)).toMatchObject(EXPIRED);
});

it.each(['', '?timeout=0', '?timeout='])('TV-173: updates%s waits the default time', async (query) => {
  const { token } = await gateway.device();
  const start = performance.now();
  expect(await gateway.get(`/${token}/attributes/updates${query}`)).toMatchObject(EXPIRED);
  expect(performance.now() - start).toBeGreaterThan(180);
  expect(performance.now() - start).toBeLessThan(2000);
});

it('TV-174: a longer wish than the maximum is cut', async () => {
  const short = await TestGateway.start({ settings: { HTTP_MAX_REQUEST_TIMEOUT: '100' } });
  const { token } = await short.device();
  expect(await short.get(`/${token}/attributes/updates?timeout=999999999`)).toMatchObject(EXPIRED);
  expect(await short.get(`/${token}/rpc?timeout=99999999999999`)).toMatchObject(EXPIRED);
  await short.stop();
});

it('TV-175: the device is deleted during the poll', async () => {
  const device = await gateway.device();
  const answer = poll(device);
  await gateway.polls(1);
  await gateway.core.devices.delete(gateway.tenantId, device.id);
  expect(await answer).toMatchObject({ status: 403, text: 'Device was deleted!' });
  expect((await answer).headers['content-type']).toMatch(/^text\/plain/);
});

it('ends the poll when the token was changed', async () => {
  const device = await gateway.device();
  const answer = poll(device);
  await gateway.polls(1);
  const another = { credentialsType: 'ACCESS_TOKEN', credentialsId: `${device.token}-changed` } as const;
  await gateway.core.devices.updateCredentials(gateway.tenantId, device.id, another);
  expect(await answer).toMatchObject(EXPIRED);
});

const request = (path: string) => `GET /api/v1${path} HTTP/1.1\r\nHost: gateway\r\n\r\n`;

it('TV-176: an aborted poll is dropped, and what it would have got is delivered to the next', async () => {
  const device = await gateway.device();
  const client = gateway.connect();
  client.write(request(`/${device.token}/attributes/updates?timeout=5000`));
  await gateway.polls(1);
  client.destroy();
  await gateway.polls(0);
  expect(gateway.gauge('tandem_devices_watched')).toBe(0);
  await save(device, { a: '1' });
  expect((await poll(device)).text).toBe('{"a":1}');
  expect(gateway.log).toEqual([]);
});

it('TV-176: also polls that are waiting behind another on the same connection', async () => {
  const device = await gateway.device();
  const client = gateway.connect();
  client.write(request(`/${device.token}/attributes/updates?timeout=5000`).repeat(3));
  await gateway.polls(3);
  client.destroy();
  await gateway.polls(0);
  await save(device, { a: '1' });
  expect((await poll(device)).text).toBe('{"a":1}');
});

it('does not consume an event for an answer that never left the queue of its connection', async () => {
  const [silent, device] = [await gateway.device(), await gateway.device()];
  const client = gateway.connect();
  client.write(request(`/${silent.token}/attributes/updates?timeout=5000`));
  client.write(request(`/${device.token}/attributes/updates?timeout=5000`));
  await gateway.polls(2);
  await save(device, { a: '1' });
  await gateway.polls(1);
  client.destroy();
  await gateway.polls(0);
  expect((await poll(device)).text).toBe('{"a":1}');
});

it('polls one after the other on one connection', async () => {
  const device = await gateway.device();
  const client = gateway.connect();
  let received = '';
  client.on('data', (chunk) => {
    received += chunk;
  });
  for (const value of ['1', '2', '3']) {
    client.write(request(`/${device.token}/attributes/updates?timeout=5000`));
    await gateway.polls(1);
    await save(device, { a: value });
    await until(() => received.includes(`{"a":${value}}`));
  }
  client.destroy();
});

it('refuses polls beyond the limit with 429 and a time to retry', async () => {
  const device = await gateway.device();
  const answers = [poll(device), poll(device), poll(device)];
  await gateway.polls(3);
  const refused = await poll(device);
  expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
  expect(JSON.parse(refused.text)).toMatchObject({ status: 429, errorCode: 33 });
  await save(device, { a: '1' });
  await Promise.all(answers);
});

it('with gap delivery off, what falls between two polls is lost', async () => {
  const plain = await TestGateway.start({ settings: { TANDEM_HTTP_GAP_DELIVERY: 'false' } });
  const { token, id } = await plain.device();
  expect(await plain.get(`/${token}/attributes/updates?timeout=50`)).toMatchObject(EXPIRED);
  await plain.core.attributes.saveFromServer(id, 'SHARED', entries({ a: '1' }));
  expect(await plain.get(`/${token}/attributes/updates?timeout=50`)).toMatchObject(EXPIRED);
  await plain.stop();
});
