import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Core, type DeviceProfile, MetricsRegistry, makeCore } from '@tandem/core';
import { createCoapTransport } from './coap-transport';
import type { CoapTransport } from './serve';
import { RawClient, type RawRequest } from './testing/raw-client';
import { type TestDevice, TestGateway } from './testing/test-gateway';

const PROTO = path.resolve(__dirname, '../../../proto/device');
const schema = (body: string) => `syntax = "proto3";\n${body}`;
const file = (name: string) => readFileSync(path.join(PROTO, `${name}.proto`), 'utf8');
const DEFAULTS = {
  deviceTelemetryProtoSchema: file('telemetry'),
  deviceAttributesProtoSchema: file('attributes'),
  deviceRpcRequestProtoSchema: file('rpc-request'),
  deviceRpcResponseProtoSchema: file('rpc-response'),
};

type Schemas = Partial<typeof DEFAULTS>;

let gateway: TestGateway;
let client: RawClient;
const token = Buffer.from('c1', 'hex');
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  client = await gateway.client();
});

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const ask = (device: TestDevice, feature: string, more: Partial<RawRequest> = {}) =>
  client.ask({ path: `api/v1/${device.token}/${feature}`, ...more });
const post = (device: TestDevice, feature: string, hex: string) =>
  ask(device, feature, { method: 'POST', payload: bytes(hex) });
const values = async (device: TestDevice) =>
  Object.fromEntries(Object.entries(await gateway.stored(device)).map(([key, { value }]) => [key, value]));

let names = 0;
const profileData = (payload: object) =>
  JSON.stringify({
    configuration: { type: 'DEFAULT' },
    transportConfiguration: {
      type: 'COAP',
      coapDeviceTypeConfiguration: { coapDeviceType: 'DEFAULT', transportPayloadTypeConfiguration: payload },
    },
    provisionConfiguration: { type: 'DISABLED', provisionDeviceSecret: null },
  });
const protobuf = (schemas: Schemas = {}) => profileData({ transportPayloadType: 'PROTOBUF', ...DEFAULTS, ...schemas });
const JSON_DATA = profileData({ transportPayloadType: 'JSON' });

/** By way of the domain, as administrators save profiles. */
function save(data: string, of?: DeviceProfile): Promise<DeviceProfile> {
  const name = of?.name ?? `protobuf ${++names}`;
  const { profiles } = gateway.core;
  return gateway
    .profile({})
    .then(({ tenantId }) =>
      profiles.save(tenantId, { id: of?.id, name, type: 'DEFAULT', transportType: 'COAP', profileData: data }),
    );
}
const deviceOf = async (schemas: Schemas = {}) => gateway.device(await save(protobuf(schemas)));

describe('A device of a profile with protobuf payloads', () => {
  it('sends telemetry and attributes by the schemas of the profile', async () => {
    const device = await deviceOf();
    expect(await post(device, 'telemetry', '09 0000000000803640')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await values(device)).toEqual({ temperature: '22.5' });
    expect(await post(device, 'attributes', '0a02 7631')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await gateway.clientAttributes(device)).toEqual({ firmwareVersion: '"v1"' });
  });

  it.each(['ff', Buffer.from('{"a":1}').toString('hex')])('is refused what is not protobuf: %s', async (hex) => {
    const device = await deviceOf();
    for (const feature of ['telemetry', 'attributes', 'rpc', 'rpc/0']) {
      expect(await post(device, feature, hex)).toMatchObject({ kind: 'ACK 4.00', text: '', format: undefined });
    }
    expect(await values(device)).toEqual({});
  });

  it.each([50, 60, 110, 42])('speaks it whatever Content-Format and Accept name: %s', async (named) => {
    const device = await deviceOf();
    const names = { contentFormat: named, accept: named };
    expect(
      await ask(device, 'telemetry', { method: 'POST', payload: Buffer.from('090000000000803640', 'hex'), ...names }),
    ).toMatchObject({ kind: 'ACK 2.01' });
    expect(await values(device)).toEqual({ temperature: '22.5' });
    await gateway.share(device, { a: '42' });
    expect(await ask(device, 'attributes', names)).toMatchObject({ kind: 'ACK 2.05', format: 42 });
    expect(await ask(device, 'attributes', { observe: 0, token, ...names })).toMatchObject({ observe: 0, format: 42 });
  });

  it('reads attributes as GetAttributeResponseMsg, or 4.04', async () => {
    const device = await deviceOf();
    await gateway.share(device, { a: '42', b: 'true' });
    const found = await ask(device, 'attributes', { query: ['sharedKeys=a'] });
    expect(found).toMatchObject({ kind: 'ACK 2.05', format: 42 });
    // The time of the change has six bytes.
    expect(found.payload.toString('hex')).toMatch(/^1a1008[0-9a-f]{12}12070a01611001202a$/);
    expect(await ask(device, 'attributes', { query: ['sharedKeys=zzz'] })).toMatchObject({
      kind: 'ACK 4.04',
      text: '',
    });
  });

  it('observes attributes, without a byte when there are none', async () => {
    const device = await deviceOf();
    const first = await ask(device, 'attributes', { observe: 0, token });
    expect(first).toMatchObject({ kind: 'ACK 2.05', observe: 0, format: 42, text: '' });
    await gateway.share(device, { a: '42' });
    const changed = await client.notification(token);
    expect(changed).toMatchObject({ kind: 'CON 2.05', observe: 1, format: 42 });
    expect(changed.payload.toString('hex')).toBe('0a0912070a01611001202a');
    await gateway.unshare(device, 'a');
    expect((await client.notification(token)).payload.toString('hex')).toBe('120161');
  });

  it('gets commands by the schema of the profile and answers them by the other', async () => {
    const device = await deviceOf();
    expect(await ask(device, 'rpc', { observe: 0, token })).toMatchObject({ kind: 'ACK 2.03', text: '' });
    const sent = await gateway.command(device, { method: 'setGpio', params: '{"pin":"23","value":1}' });
    const command = await client.notification(token);
    expect(command).toMatchObject({ kind: 'CON 2.05', format: 42 });
    expect(command.payload.toString('hex')).toBe(
      '0a077365744770696f10001a167b2270696e223a223233222c2276616c7565223a317d',
    );
    expect(await post(device, 'rpc/0', '0a0f 7b22726573756c74223a226f6b227d')).toMatchObject({ kind: 'ACK 2.01' });
    expect(await sent.outcome).toEqual({
      kind: 'answered',
      response: '{"payload":"{\\"result\\":\\"ok\\"}"}',
      isJson: true,
    });
  });

  it('calls the server with RpcRequest and is answered by ToServerRpcResponseMsg', async () => {
    const reply = await post(await deviceOf(), 'rpc', '0a0767657454696d65 12027b7d');
    expect(reply).toMatchObject({ kind: 'ACK 2.05', format: 42 });
    expect([...reply.payload.subarray(0, 2)]).toEqual([0x12, reply.payload.length - 2]);
    expect(JSON.parse(reply.payload.subarray(2).toString())).toHaveProperty('time');
  });
});

describe('A command that the schema cannot hold', () => {
  const PIN = schema(
    'message R { optional string method = 1; optional int32 requestId = 2; P params = 3; message P { int32 pin = 1; } }',
  );
  const REASON = "The command could not be converted to protobuf: 'params.pin' cannot be of type int32";

  it.each([false, true])('fails for its caller, and the next one arrives (one-way: %s)', async (oneway) => {
    const device = await deviceOf({ deviceRpcRequestProtoSchema: PIN });
    await ask(device, 'rpc', { observe: 0, token });
    const refused = await gateway.command(device, { oneway, params: '{"pin":"x"}' });
    expect(await refused.outcome).toEqual({ kind: 'failed', response: JSON.stringify({ error: REASON }) });
    await gateway.command(device, { oneway, params: '{"pin":23}' });
    expect((await client.notification(token)).payload.toString('hex')).toBe('0a016d10011a020817');
    expect(await client.rest()).toEqual([]);
  });

  it('has FAILED where it is persistent', async () => {
    const device = await deviceOf({ deviceRpcRequestProtoSchema: PIN });
    const persistent = await gateway.command(device, { persistent: true, params: '"text"' });
    await ask(device, 'rpc', { observe: 0, token });
    await gateway.becomes(persistent, 'FAILED');
    expect((await gateway.rpc(persistent.id))?.response).toContain("'params' cannot be the message 'R.P'");
  });

  it('that another waiter of the device has already is left to it', async () => {
    const device = await deviceOf({ deviceRpcRequestProtoSchema: PIN });
    await ask(device, 'rpc', { observe: 0, token });
    const session = await gateway.session(device);
    const polled = new Promise<void>((resolve) => {
      gateway.core.rpcDelivery.openPoll(session, 10_000, (outcome) => {
        if (outcome.kind === 'event') outcome.event.settled(true);
        resolve();
      });
    });
    await gateway.command(device, { oneway: true, params: '{"pin":"x"}' });
    await polled;
    await gateway.command(device, { params: '{"pin":23}' });
    expect((await client.notification(token)).payload.toString('hex')).toBe('0a016d10011a020817');
  });
});

describe('A change of the profile', () => {
  const ONE = schema('message T { optional int32 one = 1; }');
  const TWO = schema('message T { optional int32 two = 1; }');

  it('of its schemas takes effect at once, on what is sent and on observations that are open', async () => {
    const profile = await save(protobuf({ deviceTelemetryProtoSchema: ONE }));
    const device = await gateway.device(profile);
    await ask(device, 'rpc', { observe: 0, token });
    await post(device, 'telemetry', '0801');
    const request = schema(
      'message R { optional string method = 7; optional int32 requestId = 8; string params = 9; }',
    );
    await save(protobuf({ deviceTelemetryProtoSchema: TWO, deviceRpcRequestProtoSchema: request }), profile);
    await post(device, 'telemetry', '0802');
    expect(await values(device)).toEqual({ one: '1', two: '2' });
    await gateway.command(device, { params: '"x"' });
    expect((await client.notification(token)).payload.toString('hex')).toBe('3a016d40004a0178');
  });

  it('of its schemas while its devices send leaves every message answered, by the one or the other', async () => {
    const profile = await save(protobuf({ deviceTelemetryProtoSchema: ONE }));
    const devices = [];
    for (let i = 0; i < 10; i++) devices.push(await gateway.device(profile));
    const codes = new Set<string>();
    let changing = true;
    const sending = devices.map(async (device) => {
      while (changing) codes.add((await post(device, 'telemetry', '0801')).kind);
    });
    for (let round = 0; round < 10; round++) {
      await save(protobuf({ deviceTelemetryProtoSchema: round % 2 === 0 ? TWO : ONE }), profile);
    }
    changing = false;
    await Promise.all(sending);
    expect([...codes]).toEqual(['ACK 2.01']);
    for (const device of devices) {
      await post(device, 'telemetry', '0802');
      expect(await values(device)).toMatchObject({ one: '2' });
    }
  });

  it('to JSON and back takes effect at once, also on observations that are open', async () => {
    const profile = await save(JSON_DATA);
    const device = await gateway.device(profile);
    const rpc = Buffer.from('c2', 'hex');
    expect(await ask(device, 'attributes', { observe: 0, token })).toMatchObject({ format: 50, text: '{}' });
    await ask(device, 'rpc', { observe: 0, token: rpc });
    await save(protobuf(), profile);
    await gateway.share(device, { a: '42' });
    expect(await client.notification(token)).toMatchObject({ format: 42 });
    await gateway.command(device);
    expect(await client.notification(rpc)).toMatchObject({ format: 42 });
    expect(await post(device, 'telemetry', '090000000000803640')).toMatchObject({ kind: 'ACK 2.01' });
    await save(JSON_DATA, profile);
    await gateway.share(device, { a: '43' });
    expect(await client.notification(token)).toMatchObject({ format: 50, text: '{"a":43}' });
    expect(await ask(device, 'telemetry', { method: 'POST', payload: '{"a":1}' })).toMatchObject({ kind: 'ACK 2.01' });
  });

  it('of the device takes effect at once, also on observations that are open', async () => {
    const device = await gateway.device(await save(JSON_DATA));
    const other = await save(protobuf());
    await ask(device, 'attributes', { observe: 0, token });
    const { state } = gateway.core;
    const stored = await state.devices.getDevice(device.id);
    if (!stored) throw new Error('the device is gone');
    await state.devices.updateDevice({ ...stored, deviceProfileId: other.id, type: other.name });
    await gateway.share(device, { a: '42' });
    expect((await client.notification(token)).payload.toString('hex')).toBe('0a0912070a01611001202a');
  });

  describe('at another process', () => {
    let other: Core;
    let transport: CoapTransport;
    let there: RawClient;
    beforeAll(async () => {
      const { state, settings, clock, random, logger } = gateway.core;
      other = makeCore(state, settings, { clock, random, logger, metrics: new MetricsRegistry() });
      transport = await createCoapTransport(other);
      there = await RawClient.open(transport.port);
    });
    afterAll(async () => {
      await transport.close();
      there.close();
    });

    it('takes effect there as well', async () => {
      const profile = await save(protobuf({ deviceTelemetryProtoSchema: ONE }));
      const device = await gateway.device(profile);
      const telemetry = (hex: string) =>
        there.ask({ path: `api/v1/${device.token}/telemetry`, method: 'POST', payload: bytes(hex) });
      await telemetry('0801');
      await save(protobuf({ deviceTelemetryProtoSchema: TWO }), profile);
      await telemetry('0802');
      expect(await values(device)).toEqual({ one: '1', two: '2' });
    });
  });
});

it('Profiles of the same schemas share them, and what is dropped is counted no more', async () => {
  const own = schema('message T { optional int32 shared = 1; }');
  const before = gateway.gauge('tandem_protobuf_schemas_made_total');
  const cached = gateway.gauge('tandem_protobuf_schemas_cached');
  const profiles = [];
  for (let i = 0; i < 3; i++) {
    const profile = await save(protobuf({ deviceTelemetryProtoSchema: own }));
    profiles.push(profile);
    expect(await post(await gateway.device(profile), 'telemetry', '0801')).toMatchObject({ kind: 'ACK 2.01' });
  }
  expect(gateway.gauge('tandem_protobuf_schemas_made_total')).toBe(before + 1);
  expect(gateway.gauge('tandem_protobuf_schemas_cached')).toBe(cached + 1);
  for (const profile of profiles) await save(JSON_DATA, profile);
  expect(gateway.gauge('tandem_protobuf_schemas_cached')).toBe(cached);
});
