import { ATTRIBUTE_SHAPES, TELEMETRY_SHAPES, withServerTime } from '@tandem/core/testing';
import type { RawClient } from './testing/raw-client';
import { TestGateway } from './testing/test-gateway';

let gateway: TestGateway;
let client: RawClient;
beforeAll(async () => {
  gateway = await TestGateway.start();
  client = await gateway.client();
});
afterAll(() => gateway.stop());

it.each(TELEMETRY_SHAPES)('%s: telemetry %s', async (_vector, payload, expected) => {
  const device = await gateway.device();
  const before = Date.now();
  const answer = await client.ask({ method: 'POST', path: `api/v1/${device.token}/telemetry`, payload });
  const after = Date.now();
  expect(answer).toMatchObject({ kind: expected ? 'ACK 2.01' : 'ACK 4.00', text: '', format: undefined });
  const stored = await gateway.stored(device);
  expect(withServerTime(stored, before, after)).toEqual(expected ?? {});
});

it.each(ATTRIBUTE_SHAPES)('%s: attributes %s', async (_vector, payload, stored) => {
  const device = await gateway.device();
  const answer = await client.ask({ method: 'POST', path: `api/v1/${device.token}/attributes`, payload });
  expect(answer).toMatchObject({ kind: stored ? 'ACK 2.01' : 'ACK 4.00', text: '' });
  expect(await gateway.clientAttributes(device)).toEqual(stored ?? {});
});
