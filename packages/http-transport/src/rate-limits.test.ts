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
    await gateway.post(`/${token}/rpc/0`, '{}'),
    await gateway.post(`/${token}/rpc`, '{"method":"getTime","params":{}}'),
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
  expect((await gateway.post(`/${neighbour.token}/telemetry`, '{"a":1}')).status).toBe(200);
  await gateway.stop();
});
