import { CoapDevice } from './support/coap-device';
import { type ExposedSample, familiesOf, readingOf } from './support/exposition';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const TOKEN = 'metrics-device';

describe('After one request over each protocol the metrics', () => {
  let gateway: GatewayProcess;
  let text: string;
  let samples: readonly ExposedSample[];
  beforeAll(async () => {
    gateway = await GatewayProcess.start();
    const server = await ServerClient.login(gateway.http);
    await server.createDevice(TOKEN);
    const http = new HttpDevice(gateway.http, TOKEN);
    const coap = await CoapDevice.open(gateway.coap, TOKEN);
    await http.post('telemetry', '{"a":1}');
    await http.post('telemetry', 'no JSON');
    await new HttpDevice(gateway.http, 'nobody-has-this').post('telemetry', '{"a":1}');
    await coap.post('telemetry', '{"a":2}');
    await http.poll('rpc', 1);
    coap.close();
    text = await (await fetch(`http://127.0.0.1:${gateway.metrics}/metrics`)).text();
    samples = [...familiesOf(text).values()].flatMap((family) => family.samples);
  });
  afterAll(cleanUp);

  const answered = (protocol: string, operation: string, code: string) =>
    readingOf(samples, 'tandem_requests_total', { protocol, operation, code });

  it('count each under its operation and code', () => {
    expect(answered('http', 'telemetry', '200')).toBe(1);
    expect(answered('http', 'telemetry', '400')).toBe(1);
    expect(answered('http', 'telemetry', '401')).toBe(1);
    expect(answered('coap', 'telemetry', '2.01')).toBe(1);
    expect(answered('api', 'authentication', '200')).toBe(1);
    expect(answered('api', 'devices', '200')).toBeGreaterThanOrEqual(1);
  });

  it('say how long they took, and of a poll how long it waited', () => {
    const count = (protocol: string) =>
      readingOf(samples, 'tandem_request_duration_seconds_count', { protocol, operation: 'telemetry' });
    expect([count('http'), count('coap')]).toEqual([3, 1]);
    expect(answered('http', 'rpc_poll', '408')).toBe(1);
    expect(readingOf(samples, 'tandem_wait_duration_seconds_count', { kind: 'rpc' })).toBe(1);
    expect(readingOf(samples, 'tandem_request_duration_seconds_count', { operation: 'rpc_poll' })).toBeNaN();
  });

  it('say how long the store took', () => {
    for (const operation of ['telemetry_append', 'credentials_read']) {
      expect(readingOf(samples, 'tandem_store_duration_seconds_count', { operation })).toBeGreaterThan(0);
    }
  });

  it('have no token and no address in them', () => {
    expect(text).not.toMatch(/metrics-device|nobody-has-this|127\.0\.0\.1/);
  });
});
