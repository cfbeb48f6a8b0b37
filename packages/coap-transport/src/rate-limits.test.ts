import { TestGateway } from './testing/test-gateway';

it('a device beyond its rate limit gets 4.29 with Max-Age and no payload; its neighbour is served', async () => {
  const gateway = await TestGateway.start({
    settings: { TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: '1:60', TANDEM_RATE_LIMIT_DEVICE_MSGS: '1:600' },
  });
  const [device, neighbour] = [await gateway.device(), await gateway.device()];
  const client = await gateway.client();
  const path = (feature: string, { token } = device) => `api/v1/${token}/${feature}`;
  const post = (feature: string, payload: string, to = device) =>
    client.ask({ method: 'POST', path: path(feature, to), payload });

  expect(await post('telemetry', '{"a":1}')).toMatchObject({ kind: 'ACK 2.01' });
  expect(await post('rpc', '{"method":"getTime"}')).toMatchObject({ kind: 'ACK 2.05' });
  const telemetry = [await post('telemetry', '{"a":1}'), await post('attributes', '{"a":1}')];
  const messages = [
    await post('rpc', '{"method":"getTime"}'),
    await post('rpc/0', '{}'),
    await post('claim', '{}'),
    await client.ask({ path: path('firmware') }),
    await client.ask({ path: path('attributes') }),
    await client.ask({ path: path('attributes'), observe: 0 }),
    await client.ask({ path: path('rpc'), observe: 0 }),
  ];
  for (const answer of [...telemetry, ...messages]) {
    expect(answer).toMatchObject({ kind: 'ACK 4.29', observe: undefined, format: undefined, text: '' });
  }
  for (const { maxAge } of telemetry) expect([59, 60]).toContain(maxAge);
  for (const { maxAge } of messages) expect(maxAge).toBeGreaterThan(500);
  expect(gateway.observations).toBe(0);
  expect(gateway.sessionEndListeners).toBe(0);
  expect(await post('telemetry', '{"a":1}', neighbour)).toMatchObject({ kind: 'ACK 2.01' });
  await gateway.stop();
});

it('a tenant beyond its limit gets 4.29 with Max-Age for all its devices', async () => {
  const gateway = await TestGateway.start({ settings: { TANDEM_RATE_LIMIT_TENANT_TELEMETRY_DATA_POINTS: '3:60' } });
  const [one, other] = [await gateway.device(), await gateway.device()];
  const client = await gateway.client();
  const post = ({ token }: { token: string }, payload: string) =>
    client.ask({ method: 'POST', path: `api/v1/${token}/telemetry`, payload });
  expect(await post(one, '{"a":1,"b":2}')).toMatchObject({ kind: 'ACK 2.01' });
  expect(await post(other, '{"a":1}')).toMatchObject({ kind: 'ACK 2.01' });
  expect(await post(other, '{"a":1,"b":2,"c":3,"d":4}')).toMatchObject({
    kind: 'ACK 4.13',
    maxAge: undefined,
    text: '',
  });
  const refused = await post(other, '{"b":1}');
  expect(refused).toMatchObject({ kind: 'ACK 4.29', format: undefined, text: '' });
  expect(refused.maxAge).toBeGreaterThanOrEqual(1);
  expect(Object.keys(await gateway.stored(other))).toEqual(['a']);
  await gateway.stop();
});
