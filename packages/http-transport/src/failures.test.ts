import { type State, TandemError } from '@tandem/core';
import { TestGateway } from './testing/test-gateway';

const error = (answer: { text: string }) => JSON.parse(answer.text);

it('a full backlog is 503 with a time to retry', async () => {
  const gateway = await TestGateway.start({ settings: { TANDEM_TELEMETRY_BACKLOG_MAX: '1' }, materialise: false });
  const { token } = await gateway.device();
  expect((await gateway.post(`/${token}/telemetry`, '{"a":1}')).status).toBe(200);
  const refused = await gateway.post(`/${token}/telemetry`, '{"a":2}');
  expect(refused.status).toBe(503);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(error(refused)).toEqual({
    status: 503,
    message: expect.any(String),
    errorCode: 2,
    timestamp: expect.any(Number),
  });
  await gateway.stop();
});

/** The real store, whose attributes cannot be read. */
const failing = (thrown: unknown) => (state: State) => ({
  ...state,
  attributes: Object.assign(Object.create(state.attributes), { read: () => Promise.reject(thrown) }),
  events: Object.assign(Object.create(state.events), {
    watch: (...watched: Parameters<State['events']['watch']>) => state.events.watch(...watched),
    getCursor: () => Promise.reject(thrown),
  }),
});

it('a store that does not answer is 503, with the seconds rounded up', async () => {
  const gateway = await TestGateway.start({
    over: failing(new TandemError('STORE_UNAVAILABLE', { retryAfter: 1_001 })),
  });
  const { token } = await gateway.device();
  for (const path of ['attributes', 'attributes/updates']) {
    const answer = await gateway.get(`/${token}/${path}`);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(error(answer)).toMatchObject({ status: 503, errorCode: 2 });
  }
  expect(gateway.openPolls).toBe(0);
  await gateway.stop();
});

it('a fault of the gateway is 500, logged once, and neither shows the other its secrets', async () => {
  const gateway = await TestGateway.start({ over: failing(new Error('disk on fire')) });
  const { token } = await gateway.device('verySecretToken');
  const answer = await gateway.get(`/${token}/attributes?clientKeys=a`);
  expect(error(answer)).toEqual({
    status: 500,
    message: 'Internal server error',
    errorCode: 2,
    timestamp: expect.any(Number),
  });
  expect(gateway.log).toHaveLength(1);
  expect(gateway.log[0]).toContain('attributes_read');
  expect(gateway.log[0]).toContain('disk on fire');
  expect(gateway.log[0]).not.toContain(token);
  await gateway.stop();
});

it('when the gateway stops, whoever waits is told at once to come back, and new ones as well', async () => {
  const gateway = await TestGateway.start({
    backend: { call: () => new Promise(() => {}) },
  });
  const { token } = await gateway.device();
  const waiting = [
    gateway.get(`/${token}/rpc`),
    gateway.get(`/${token}/attributes/updates`),
    gateway.post(`/${token}/rpc`, '{"method":"m","params":{}}'),
  ];
  await gateway.polls(2);
  while (gateway.gauge('tandem_client_rpcs_waiting') === 0) await new Promise(setImmediate);
  gateway.api.close();
  const told = await Promise.all([
    ...waiting,
    gateway.get(`/${token}/rpc`),
    gateway.get(`/${token}/attributes/updates`),
  ]);
  for (const answer of told) {
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '1', connection: 'close' } });
    expect(error(answer)).toMatchObject({ status: 503, errorCode: 2 });
  }
  expect(gateway.openPolls).toBe(0);
  expect(gateway.gauge('tandem_devices_watched')).toBe(0);
  expect((await gateway.post(`/${token}/telemetry`, '{"a":1}')).status).toBe(200);
  await gateway.stop();
});
