import { TestGateway } from './testing/test-gateway';

it('a device beyond its rate limit gets 429 with the limit and a time to retry; its neighbour is served', async () => {
  const gateway = await TestGateway.start({
    settings: { TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: '2:60', TANDEM_RATE_LIMIT_DEVICE_MSGS: '1:600' },
  });
  const [{ token }, neighbour] = [await gateway.device(), await gateway.device()];
  for (let n = 0; n < 2; n++) expect((await gateway.post(`/${token}/telemetry`, '{"a":1}')).status).toBe(200);
  const refused = [
    await gateway.post(`/${token}/telemetry`, '{"a":1}'),
    await gateway.post(`/${token}/attributes`, '{"a":1}'),
  ];
  expect((await gateway.get(`/${token}/attributes`)).status).toBe(200);
  const messages = [
    await gateway.get(`/${token}/attributes`),
    await gateway.get(`/${token}/rpc`),
    await gateway.get(`/${token}/attributes/updates`),
    await gateway.get(`/${token}/rpc?timeout=-1`),
    await gateway.get(`/${token}/attributes/updates?timeout=-1`),
    await gateway.post(`/${token}/rpc/0`, '{}'),
    await gateway.post(`/${token}/rpc`, '{"method":"getTime","params":{}}'),
    await gateway.post(`/${token}/claim`, '{}'),
    await gateway.get(`/${token}/firmware?title=FW&version=1.0`),
  ];
  for (const answer of refused) expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30);
  for (const answer of messages) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(500);
  for (const answer of [...refused, ...messages]) {
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: 429,
      message: expect.stringMatching(/^DEVICE rate limits reached! At most \d (telemetry )?messages in \d+ s$/),
      errorCode: 33,
    });
  }
  expect(gateway.openPolls).toBe(0);
  const last = await gateway.device();
  const expired = `/${last.token}/rpc?timeout=-1`;
  expect([(await gateway.get(expired)).status, (await gateway.get(expired)).status]).toEqual([408, 429]);
  expect((await gateway.post(`/${neighbour.token}/telemetry`, '{"a":1}')).status).toBe(200);
  await gateway.stop();
});

it('a tenant beyond its limit gets 429 for all its devices, and the answer names that limit', async () => {
  const gateway = await TestGateway.start({
    settings: {
      TANDEM_RATE_LIMIT_TENANT_TELEMETRY_DATA_POINTS: '3:60',
      TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_DATA_POINTS: '2:60',
    },
  });
  const [one, other] = [await gateway.device(), await gateway.device()];
  const post = ({ token }: { token: string }, body: string) => gateway.post(`/${token}/telemetry`, body);
  const reason = ({ text }: { text: string }) => JSON.parse(text).message;
  // Beyond its own limit, and so nothing of the tenant's.
  const never = await post(one, '{"a":1,"b":2,"c":3}');
  expect([never.status, never.headers['retry-after']]).toEqual([429, undefined]);
  expect(reason(never)).toMatch(/^DEVICE rate limits: never, the message has 3 data points, of at most 2/);
  expect((await post(one, '{"a":1,"b":2}')).status).toBe(200);
  expect((await post(other, '{"a":1}')).status).toBe(200);
  const refused = await post(other, '{"b":1}');
  expect(refused.status).toBe(429);
  expect(reason(refused)).toBe('TENANT rate limits reached! At most 3 data points in 60 s');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(Object.keys(await gateway.stored(other))).toEqual(['a']);
  await gateway.stop();
});
