import { TestGateway } from './testing/test-gateway';

describe('the address to bind to', () => {
  it('may be a name', async () => {
    const gateway = await TestGateway.start({ settings: { COAP_BIND_ADDRESS: 'localhost' } });
    const { token } = await gateway.device();
    const client = await gateway.client();
    const answer = await client.ask({ method: 'POST', path: `api/v1/${token}/telemetry`, payload: '{"a":1}' });
    expect(answer.kind).toBe('ACK 2.01');
    await gateway.stop();
  });

  it('that is not of this machine names the setting', async () => {
    await expect(TestGateway.start({ settings: { COAP_BIND_ADDRESS: '192.0.2.1' } })).rejects.toThrow(
      '192.0.2.1 is no address of this machine (EADDRNOTAVAIL): see COAP_BIND_ADDRESS',
    );
  });
});
