import { TestGateway, until } from './testing/test-gateway';

let gateway: TestGateway;
let abandoned = 0;
beforeEach(async () => {
  const call = (_request: unknown, signal: AbortSignal) =>
    new Promise<string>(() => signal.addEventListener('abort', () => abandoned++));
  gateway = await TestGateway.start({ backend: { call } });
});
afterEach(() => gateway.stop());

it('a request that runs while the transport closes is answered 5.03 with Max-Age', async () => {
  const { token } = await gateway.device();
  const client = await gateway.client();
  client.send({ method: 'POST', path: `api/v1/${token}/rpc`, payload: '{"method":"silent"}' });
  await client.rest();
  await gateway.transport.close();
  const answer = await client.next();
  expect(answer).toMatchObject({ kind: 'ACK 5.03', text: '' });
  expect(answer.maxAge).toBeGreaterThan(0);
  expect(abandoned).toBe(1);
  await until(() => gateway.gauge('tandem_client_rpcs_waiting') === 0);
});
