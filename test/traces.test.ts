import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { startRedis } from '../packages/state-redis/src/testing/redis-server';
import { CoapDevice } from './support/coap-device';
import { eventually } from './support/eventually';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';
import { type CollectedSpan, TraceCollector } from './support/trace-collector';

afterAll(cleanUp);

/** Makes a process say at its end which packages it has loaded. */
const LOADED = `--require ${join(__dirname, 'support', 'loaded-packages.cjs')}`;
const SDK = 'loaded @opentelemetry/sdk-trace';

const SHARE = 'POST /api/plugins/telemetry/{entityType}/{entityId}/{scope}';
const by = (protocol: string) => (span: CollectedSpan) => span.attributes['network.protocol.name'] === protocol;

describe('The traces of a gateway', () => {
  const secrets: string[] = [];
  let collector: TraceCollector;
  let gateway: GatewayProcess;
  let server: ServerClient;
  let devices = 0;

  beforeAll(async () => {
    collector = await TraceCollector.start();
    gateway = await GatewayProcess.start({
      ...collector.environment,
      NODE_OPTIONS: LOADED,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=key-of-the-collector',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    server = await ServerClient.login(gateway.http);
    secrets.push(server.jwt, 'Correct-Horse-7', 'key-of-the-collector');
  });

  afterAll(async () => {
    await gateway.stop();
    await collector.stop();
  });

  async function device() {
    const token = `token-of-traced-device-${++devices}`;
    secrets.push(token);
    const id = await server.createDevice(token, `traced ${devices}`);
    const of = (span: CollectedSpan) => span.attributes['tandem.device.id'] === id;
    return { id, of, http: new HttpDevice(gateway.http, token), coap: await CoapDevice.open(gateway.coap, token) };
  }

  it('show a telemetry message over CoAP down to the log of the store', async () => {
    const { of, coap } = await device();
    expect((await coap.post('telemetry', '{"temperature":"value-of-telemetry"}')).code).toBe('2.01');
    secrets.push('value-of-telemetry');
    const request = await collector.span('POST /api/v1/{token}/telemetry', of);
    expect(request).toMatchObject({
      kind: 'server',
      parentSpanId: '',
      attributes: {
        'coap.request.method': 'POST',
        'coap.response.code': '2.01',
        'url.scheme': 'coap',
        'network.protocol.name': 'coap',
        'client.address': '127.0.0.1',
      },
      resource: { 'service.name': 'tandem', 'deployment.environment.name': 'test' },
    });
    const append = await collector.span('telemetryLog.append', ({ traceId }) => traceId === request.traceId);
    expect(append).toMatchObject({ kind: 'client', parentSpanId: request.spanId });
    expect(append.attributes).toEqual({ 'db.system.name': 'lmdb', 'db.operation.name': 'telemetryLog.append' });
    expect(collector.headers['x-api-key']).toBe('key-of-the-collector');
    await eventually(async () =>
      (await gateway.metric('tandem_trace_spans_sent_total')) > 0 ? undefined : 'no span counts as sent',
    );
    coap.close();
  });

  it('show a telemetry message over HTTP in the same way', async () => {
    const { of, http, coap } = await device();
    expect((await http.post('telemetry', '{"a":1}')).status).toBe(200);
    const request = await collector.span('POST /api/v1/{token}/telemetry', of);
    expect(request.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.response.status_code': 200,
      'http.route': '/api/v1/{token}/telemetry',
      'url.scheme': 'http',
    });
    const append = await collector.span('telemetryLog.append', ({ traceId }) => traceId === request.traceId);
    expect(append.parentSpanId).toBe(request.spanId);
    coap.close();
  });

  it('lead from the write of a shared attribute to the poll and the observation that tell it, in one trace', async () => {
    const { id, of, http, coap } = await device();
    const observation = coap.observe('attributes');
    await observation.next();
    const poll = http.poll('attributes/updates');
    await gateway.openPolls(1);
    await server.share(id, '{"target":"value-of-attribute"}');
    secrets.push('value-of-attribute');
    expect((await poll).text).toBe('{"target":"value-of-attribute"}');
    await observation.next();

    const polled = await collector.span('deliver attributes', (span) => of(span) && by('http')(span));
    const observed = await collector.span('deliver attributes', (span) => of(span) && by('coap')(span));
    expect(polled).toMatchObject({ kind: 'consumer', attributes: { 'tandem.delivered': 'written' } });
    expect(observed).toMatchObject({ kind: 'consumer', attributes: { 'tandem.delivered': 'delivered' } });
    for (const delivery of [polled, observed]) {
      expect(await collector.path(delivery)).toEqual([SHARE, 'send attributes', 'deliver attributes']);
    }
    expect(observed.traceId).toBe(polled.traceId);
    const sent = await collector.span('send attributes', of);
    expect(sent.kind).toBe('producer');
    const saved = await collector.span('attributes.save', ({ traceId }) => traceId === sent.traceId);
    expect(saved.parentSpanId).toBe(sent.spanId);
    // Those who are woken read in their own name.
    const inTrace = collector.spans.filter(({ traceId }) => traceId === sent.traceId).map(({ name }) => name);
    expect(inTrace).not.toContain('events.read');
    // The request that polls began before there was anything to tell: it is named.
    const request = await collector.span('GET /api/v1/{token}/attributes/updates', of);
    expect(polled.links).toEqual([request.spanId]);
    coap.close();
  });

  it('lead from a two-way command over the poll or observation that has it to the answer over CoAP', async () => {
    for (const door of ['http', 'coap'] as const) {
      const { id, of, http, coap } = await device();
      const observation = door === 'coap' ? coap.observe('rpc') : undefined;
      await observation?.next();
      const poll = door === 'http' ? http.poll('rpc') : undefined;
      const call = server.command('twoway', id, { method: 'm', params: 'params-of-command', timeout: 20_000 });
      expect((await (poll ?? observation?.next()))?.text).toContain('"id":0');
      expect((await coap.post('rpc/0', '{"answer":"value-of-answer"}')).code).toBe('2.01');
      expect((await call).status).toBe(200);
      secrets.push('params-of-command', 'value-of-answer');

      const sent = await collector.span('send rpc', of);
      const inTrace = ({ traceId }: CollectedSpan) => traceId === sent.traceId;
      const called = await collector.span('POST /api/rpc/twoway/{deviceId}', inTrace);
      expect(called).toMatchObject({
        kind: 'server',
        parentSpanId: '',
        attributes: { 'http.response.status_code': 200 },
      });
      const delivered = await collector.span('deliver rpc', of);
      expect(await collector.path(delivered)).toEqual([called.name, 'send rpc', 'deliver rpc']);
      const answered = await collector.span('answer rpc', of);
      expect(await collector.path(answered)).toEqual([called.name, 'send rpc', 'answer rpc']);
      const written = await collector.span('rpcs.transition', ({ parentSpanId }) => parentSpanId === answered.spanId);
      expect(written.traceId).toBe(called.traceId);
      const reply = await collector.span('POST /api/v1/{token}/rpc/{requestId}', of);
      expect(answered.links).toEqual([reply.spanId]);
      expect(reply.links).toEqual([sent.spanId]);
      coap.close();
    }
  });

  it('go on in the trace of a caller of the server API, and name that of a device', async () => {
    const { id, of, http, coap } = await device();
    const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
    const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
    const path = `/api/plugins/telemetry/DEVICE/${id}/SHARED_SCOPE`;
    await fetch(`http://127.0.0.1:${gateway.http}${path}`, {
      method: 'POST',
      headers: { 'X-Authorization': `Bearer ${server.jwt}`, 'Content-Type': 'application/json', traceparent },
      body: '{"a":1}',
    });
    const called = await collector.span(SHARE, ({ traceId }) => traceId === caller.traceId);
    expect(called.parentSpanId).toBe(caller.spanId);
    // Whether something is sampled is not up to devices.
    await fetch(`http://127.0.0.1:${gateway.http}/api/v1/${http.token}/telemetry`, {
      method: 'POST',
      headers: { traceparent: `00-${caller.traceId}-${caller.spanId}-00` },
      body: '{"a":1}',
    });
    const posted = await collector.span('POST /api/v1/{token}/telemetry', of);
    expect(posted).toMatchObject({ parentSpanId: '', links: [caller.spanId] });
    coap.close();
  });

  it('have nothing of strangers', async () => {
    const { of, http, coap } = await device();
    const token = 'token-that-no-device-has';
    const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const answers = await Promise.all([
      fetch(`http://127.0.0.1:${gateway.http}/api/v1/${token}/telemetry`, {
        method: 'POST',
        headers: { traceparent },
        body: '{}',
      }),
      fetch(`http://127.0.0.1:${gateway.http}/api/device/x`, { headers: { traceparent } }),
      fetch(`http://127.0.0.1:${gateway.http}/api/auth/login`, {
        method: 'POST',
        headers: { traceparent, 'Content-Type': 'application/json' },
        body: '{"username":"nobody@example.com","password":"wrong"}',
      }),
      fetch(`http://127.0.0.1:${gateway.http}/api/noauth/activate?activateToken=x`, { headers: { traceparent } }),
    ]);
    expect(answers.map(({ status }) => status).slice(0, 3)).toEqual([401, 401, 401]);
    expect(answers[3]?.ok).toBe(false);
    expect((await http.post('attributes', '{"a":1}')).status).toBe(200);
    await collector.span('POST /api/v1/{token}/attributes', of);
    expect(collector.spans.filter(({ traceId }) => traceId === '1'.repeat(32))).toEqual([]);
    expect(collector.spans.filter(({ attributes }) => attributes['http.response.status_code'] === 401)).toEqual([]);
    expect(collector.spans.filter(({ name }) => /auth/.test(name))).toEqual([]);
    coap.close();
  });

  it('tell of what fails', async () => {
    const { of, http, coap } = await device();
    expect((await http.post('telemetry', 'no-json-at-all')).status).toBe(400);
    secrets.push('no-json-at-all');
    const request = await collector.span('POST /api/v1/{token}/telemetry', of);
    expect(request).toMatchObject({ failed: false, attributes: { 'http.response.status_code': 400 } });
    coap.close();
  });

  it('are all sent before the gateway ends, and have no secret in them', async () => {
    const { of, http, coap } = await device();
    coap.close();
    expect((await http.post('claim', '{"secretKey":"secret-of-a-claim"}')).status).toBe(200);
    secrets.push('secret-of-a-claim');
    await gateway.stop();
    expect(gateway.stderr).toContain(SDK);
    expect(collector.spans.filter((span) => span.name === 'POST /api/v1/{token}/claim' && of(span))).toHaveLength(1);
    const all = Buffer.concat(collector.bodies);
    expect(all.includes('/api/v1/{token}/telemetry')).toBe(true);
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
    expect(secrets.length).toBeGreaterThan(10);
  });
});

describe('A gateway', () => {
  it('that no variable asks for traces loads nothing that makes them', async () => {
    const gateway = await GatewayProcess.start({ NODE_OPTIONS: LOADED, OTEL_SERVICE_NAME: 'tandem' });
    await gateway.stop();
    expect(gateway.stderr).toContain('loaded @opentelemetry/api\n');
    expect(gateway.stderr).not.toContain(SDK);
  });

  it('whose collector does not answer serves, and ends in time', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const gateway = await GatewayProcess.start({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${port}/traces`,
    });
    expect(await gateway.logged('traces are exported')).toMatchObject({ endpoint: `http://127.0.0.1:${port}/traces` });
    const server = await ServerClient.login(gateway.http);
    await server.createDevice('token-without-collector');
    expect(await gateway.metric('tandem_trace_spans_total')).toBeGreaterThan(0);
    expect(await gateway.metric('tandem_trace_spans_sent_total')).toBe(0);
    const asked = once(silent, 'connection');
    const stopped = gateway.stop();
    const [connection] = (await asked) as [Socket];
    expect(await stopped).toEqual({ code: 0, signal: null });
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([]);
    connection.destroy();
    silent.close();
  });
});

describe('On one Redis', () => {
  it('the trace of a write goes on in the process that tells the device', async () => {
    const collector = await TraceCollector.start();
    const redis = await startRedis();
    const [api, doors] = await Promise.all(
      ['api', 'http,coap'].map((roles) =>
        GatewayProcess.start({
          ...collector.environment,
          OTEL_SERVICE_NAME: `tandem of ${roles}`,
          REDIS_URL: redis.url,
          TANDEM_ROLES: roles,
        }),
      ),
    );
    if (!api || !doors) throw new Error('two processes');
    const server = await ServerClient.login(api.http);
    const id = await server.createDevice('token-at-two-processes');
    const coap = await CoapDevice.open(doors.coap, 'token-at-two-processes');
    const observation = coap.observe('attributes');
    await observation.next();
    const http = new HttpDevice(doors.http, 'token-at-two-processes');
    await http.takePlace();
    const poll = http.poll('attributes/updates');
    await server.share(id, '{"target":1}');
    expect((await poll).text).toBe('{"target":1}');
    expect((await observation.next()).text).toBe('{"target":1}');
    for (const protocol of ['http', 'coap']) {
      const delivered = await collector.span('deliver attributes', by(protocol));
      expect(delivered.resource).toMatchObject({ 'service.name': 'tandem of http,coap' });
      expect(await collector.path(delivered)).toEqual([SHARE, 'send attributes', 'deliver attributes']);
    }
    const sent = await collector.span('send attributes');
    expect(sent.resource).toMatchObject({ 'service.name': 'tandem of api' });
    const saved = await collector.span('attributes.save', ({ parentSpanId }) => parentSpanId === sent.spanId);
    expect(saved.attributes['db.system.name']).toBe('redis');

    const call = server.command('twoway', id, { method: 'm', timeout: 20_000 });
    expect((await http.poll('rpc')).text).toContain('"id":0');
    expect((await coap.post('rpc/0', '{}')).code).toBe('2.01');
    expect((await call).status).toBe(200);
    const answered = await collector.span('answer rpc');
    expect(answered.resource).toMatchObject({ 'service.name': 'tandem of http,coap' });
    expect(await collector.path(answered)).toEqual(['POST /api/rpc/twoway/{deviceId}', 'send rpc', 'answer rpc']);
    coap.close();
    await Promise.all([api.stop(), doors.stop()]);
    await redis.stop();
    await collector.stop();
  });
});
