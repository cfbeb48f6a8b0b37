import { once } from 'node:events';
import { connect } from 'node:net';
import { METRICS, SETTINGS, valuesOf } from '@tandem/core';
import { Pki } from './security/pki';
import { CoapDevice } from './support/coap-device';
import { DtlsDevice } from './support/dtls-device';
import { type ExposedSample, familiesOf, readingOf } from './support/exposition';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const TOKEN = 'metrics-device';

/** Resolves when all of the answer has come. */
async function httpAnswer(port: number, request: string): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => socket.write(request));
  socket.resume();
  await once(socket, 'close');
}

describe('After one request over each protocol the metrics', () => {
  let pki: Pki;
  let gateway: GatewayProcess;
  let text: string;
  let samples: readonly ExposedSample[];
  beforeAll(async () => {
    pki = new Pki();
    gateway = await GatewayProcess.start({
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_PEM_CERT: pki.server.chainFile,
      COAP_DTLS_PEM_KEY: pki.server.keyFile,
    });
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
    const secure = new DtlsDevice(gateway.coaps);
    await secure.post(`api/v1/${TOKEN}/telemetry`);
    secure.kill();
    // No request: two hosts, and a line that is no header.
    await httpAnswer(gateway.http, 'GET /api/v1/x/attributes HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await httpAnswer(gateway.http, 'GET / HTTP/1.1\r\nno header\r\n\r\n');
    await fetch(`http://127.0.0.1:${gateway.http}/api/v1/${TOKEN}/telemetry`);
    const observer = await CoapDevice.open(gateway.coap, TOKEN);
    await observer.get('telemetry');
    observer.close();
    for (const path of ['/', '/nowhere', '/openapi/nothing'])
      await (await fetch(`http://127.0.0.1:${gateway.http}${path}`)).text();
    await httpAnswer(gateway.http, 'GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await gateway.settled('tandem_requests_total', 3, { protocol: 'http', operation: 'other', code: '404' });
    text = await (await fetch(`http://127.0.0.1:${gateway.metrics}/metrics`)).text();
    samples = [...familiesOf(text).values()].flatMap((family) => family.samples);
  });
  afterAll(async () => {
    await cleanUp();
    pki.remove();
  });

  const answered = (protocol: string, operation: string, code: string) =>
    readingOf(samples, 'tandem_requests_total', { protocol, operation, code });

  it('count each under its operation and code', () => {
    expect(answered('http', 'telemetry', '200')).toBe(1);
    expect(answered('http', 'telemetry', '400')).toBe(1);
    expect(answered('http', 'telemetry', '401')).toBe(1);
    expect(answered('coap', 'telemetry', '2.01')).toBe(1);
    expect(answered('coaps', 'telemetry', '2.01')).toBe(1);
    expect(answered('api', 'authentication', '200')).toBe(1);
    expect(answered('api', 'devices', '200')).toBeGreaterThanOrEqual(1);
  });

  it('count what was no request to begin with among the others', () => {
    expect(answered('http', 'other', '400')).toBe(2);
  });

  it('count pages, what there is not, and what takes no such method among the others, over each protocol', () => {
    expect(answered('http', 'other', '200')).toBe(1);
    expect(answered('http', 'other', '404')).toBe(3);
    expect(answered('http', 'other', '405')).toBe(1);
    expect(answered('coap', 'other', '4.00')).toBe(1);
  });

  it('have every limit that can be hit, and only those that are settings', () => {
    const limits = valuesOf(METRICS.tandem_limit_hits_total.labels.limit);
    expect(limits.filter((limit) => !Object.hasOwn(SETTINGS, limit))).toEqual([]);
    // That of a store that is not this one's.
    const here = limits.filter((limit) => limit !== 'TANDEM_REDIS_MAX_IN_FLIGHT_BYTES');
    const told = samples.filter(({ name }) => name === 'tandem_limit_hits_total').map(({ labels }) => labels.limit);
    expect(told.sort()).toEqual([...here].sort());
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
