import { ATTRIBUTE_SHAPES, TELEMETRY_SHAPES, withServerTime } from '@tandem/core/testing';
import { TestGateway } from './testing/test-gateway';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

it.each(TELEMETRY_SHAPES)('%s: telemetry %s', async (_vector, body, expected) => {
  const device = await gateway.device();
  const before = Date.now();
  const answer = await gateway.post(`/${device.token}/telemetry`, body);
  const after = Date.now();
  if (expected) {
    expect(answer).toMatchObject({ status: 200, text: '' });
  } else {
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ status: 400, errorCode: 31 });
  }
  const stored = await gateway.stored(device);
  expect(withServerTime(stored, before, after)).toEqual(expected ?? {});
});

it('TV-034: both points of a message are kept', async () => {
  const device = await gateway.device();
  await gateway.post(`/${device.token}/telemetry`, '[{"ts":1000,"values":{"a":1}},{"ts":2000,"values":{"a":2}}]');
  await gateway.core.state.materialiser.caughtUp();
  const history = await gateway.core.timeSeries.history(device.id, ['a'], {
    startTs: 0,
    endTs: 3000,
    limit: 10,
    order: 'ASC',
  });
  expect(history.get('a')).toEqual([
    { ts: 1000, value: '1' },
    { ts: 2000, value: '2' },
  ]);
});

it('TV-058: the answer says what could not be parsed', async () => {
  const { token } = await gateway.device();
  const answer = await gateway.post(`/${token}/telemetry`, '"hello"');
  expect(JSON.parse(answer.text)).toMatchObject({ message: `Can't parse value: "hello"` });
});

it.each(ATTRIBUTE_SHAPES)('%s: attributes %s', async (_vector, body, stored) => {
  const device = await gateway.device();
  const answer = await gateway.post(`/${device.token}/attributes`, body);
  expect(answer.status).toBe(stored ? 200 : 400);
  expect(await gateway.clientAttributes(device)).toEqual(stored ?? {});
});
