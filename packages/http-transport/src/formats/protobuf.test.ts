import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DeviceProfile, RpcOutcome } from '@tandem/core';
import { type TestDevice, TestGateway } from '../testing/test-gateway';

const PROTO = path.resolve(__dirname, '../../../../proto/device');
const file = (name: string) => readFileSync(path.join(PROTO, `${name}.proto`), 'utf8');
const SCHEMAS = {
  transportPayloadType: 'PROTOBUF',
  deviceTelemetryProtoSchema: file('telemetry'),
  deviceAttributesProtoSchema: file('attributes'),
  deviceRpcRequestProtoSchema: file('rpc-request'),
  deviceRpcResponseProtoSchema: file('rpc-response'),
};
const PROTOBUF = 'application/x-protobuf';

let gateway: TestGateway;
let device: TestDevice;
beforeAll(async () => {
  gateway = await TestGateway.start();
});
afterAll(() => gateway.stop());

let names = 0;
function save(payload: object, of?: DeviceProfile): Promise<DeviceProfile> {
  const coapDeviceTypeConfiguration = { coapDeviceType: 'DEFAULT', transportPayloadTypeConfiguration: payload };
  return gateway.core.profiles.save(gateway.tenantId, {
    id: of?.id,
    name: of?.name ?? `protobuf ${++names}`,
    type: 'DEFAULT',
    transportType: 'COAP',
    profileData: JSON.stringify({ transportConfiguration: { type: 'COAP', coapDeviceTypeConfiguration } }),
  });
}
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const post = (feature: string, body: Buffer | string, headers: Record<string, string>, of = device) =>
  gateway.send('POST', `/${of.token}/${feature}`, { body, headers });
const get = (feature: string, accept?: string) =>
  gateway.send('GET', `/${device.token}/${feature}`, { headers: accept === undefined ? {} : { Accept: accept } });
const share = (key: string, value: string) =>
  gateway.core.attributes.saveFromServer(device.id, 'SHARED', [{ key, value: value as never }]);
async function stored(of = device): Promise<Record<string, string>> {
  await gateway.core.state.materialiser.caughtUp();
  const latest = await gateway.core.timeSeries.latest(of.id);
  return Object.fromEntries([...latest].map(([key, { value }]) => [key, value]));
}
const command = (params: string): Promise<RpcOutcome> =>
  gateway.core.rpcCalls.send({
    ...{ tenantId: gateway.tenantId, deviceId: device.id, oneway: false, method: 'm', timeout: 10_000 },
    params,
  });

describe('A device of a profile with protobuf payloads, over HTTP', () => {
  let profile: DeviceProfile;
  beforeEach(async () => {
    profile = await save(SCHEMAS);
    device = await gateway.device(undefined, profile.id);
  });

  it('speaks JSON where it says nothing else (TV-023)', async () => {
    expect((await post('telemetry', '{"a":1}', {})).status).toBe(200);
    expect((await post('telemetry', '{"b":1}', { 'Content-Type': 'text/plain' })).status).toBe(200);
    expect(await stored()).toEqual({ a: '1', b: '1' });
    await share('c', '42');
    expect(await get('attributes', '*/*')).toMatchObject({ status: 200, text: '{"shared":{"c":42}}' });
  });

  it('sends a message of no bytes, whose fields are at their defaults (TV-320)', async () => {
    const flag = await save({
      ...SCHEMAS,
      deviceTelemetryProtoSchema: 'syntax = "proto3"; message T { bool on = 1; }',
    });
    const plain = await gateway.device(undefined, flag.id);
    const empty = (of: TestDevice, feature: string, type = PROTOBUF) =>
      post(feature, '', { 'Content-Type': type, 'Content-Length': '0' }, of);
    expect((await empty(plain, 'telemetry')).status).toBe(200);
    expect(await stored(plain)).toEqual({ on: 'false' });
    expect((await empty(plain, 'attributes')).status).toBe(200);
    for (const feature of ['rpc', 'rpc/1']) expect((await empty(plain, feature)).status).toBe(400);
    expect((await empty(plain, 'telemetry', 'application/json')).status).toBe(400);
    expect((await empty(await gateway.device(), 'telemetry')).status).toBe(400);
    const nobody = { ...plain, token: 'nobody' };
    expect((await empty(nobody, 'telemetry', 'text/plain')).status).toBe(400);
    expect((await empty(nobody, 'telemetry')).status).toBe(401);
  });

  it.each([
    'application/json; profile="application/x-protobuf"',
    'text/plain;application/protobuf',
    'application/x-protobufs',
    'x.application/x-protobuf',
  ])('sends JSON as %s', async (type) => {
    expect((await post('telemetry', '{"a":1}', { 'Content-Type': type })).status).toBe(200);
    expect((await get('attributes', `${type}, */*`)).headers['content-type']).toBe('application/json');
  });

  it.each([
    PROTOBUF,
    'application/protobuf',
    'application/vnd.google.protobuf',
    'Application/X-Protobuf; messageType="SensorDataReading"',
  ])('sends protobuf as %s', async (type) => {
    expect((await post('telemetry', bytes('09 0000000000803640'), { 'Content-Type': type })).status).toBe(200);
    expect(await stored()).toEqual({ temperature: '22.5' });
    expect((await post('attributes', bytes('0a02 7631'), { 'Content-Type': type })).status).toBe(200);
    expect((await get('attributes')).text).toBe('{"client":{"firmwareVersion":"v1"}}');
    const claim = bytes('0a0576616c756510e0d403');
    expect((await post('claim', claim, { 'Content-Type': type })).status).toBe(200);
  });

  it('is answered 400 with what is not protobuf', async () => {
    const refused = await post('telemetry', bytes('ff'), { 'Content-Type': PROTOBUF });
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text)).toMatchObject({ message: 'Not protobuf: the payload is cut short' });
  });

  it('reads attributes as it asks for them', async () => {
    await share('a', '42');
    const found = await get('attributes?sharedKeys=a', PROTOBUF);
    expect(found.headers['content-type']).toBe(PROTOBUF);
    expect(found.payload.toString('hex')).toMatch(/^1a1008[0-9a-f]{12}12070a01611001202a$/);
    expect((await get('attributes', 'application/json;q=0.5, application/protobuf')).payload[0]).toBe(0x1a);
    expect((await get('attributes', 'application/protobuf;q=0.5, application/json')).text).toBe('{"shared":{"a":42}}');
    expect(await get('attributes?sharedKeys=zzz', PROTOBUF)).toMatchObject({ status: 200, text: '' });
  });

  it('polls for attributes and commands as it asks for them, by the schemas of then', async () => {
    const updates = get('attributes/updates?timeout=10000', PROTOBUF);
    const commands = get('rpc?timeout=10000', PROTOBUF);
    while (gateway.openPolls < 2) await gateway.core.state.ping();
    const renumbered = SCHEMAS.deviceRpcRequestProtoSchema.replace('method = 1', 'method = 7');
    await save({ ...SCHEMAS, deviceRpcRequestProtoSchema: renumbered }, profile);
    await share('a', '42');
    expect((await updates).payload.toString('hex')).toBe('0a0912070a01611001202a');
    const outcome = command('{"pin":1}');
    const { headers, payload } = await commands;
    expect(headers['content-type']).toBe(PROTOBUF);
    expect(payload.toString('hex')).toBe('10001a097b2270696e223a317d3a016d');
    expect((await post('rpc/0', bytes('0a026f6b'), { 'Content-Type': PROTOBUF })).status).toBe(200);
    expect(await outcome).toEqual({ kind: 'answered', response: '{"payload":"ok"}', isJson: true });
  });

  it('calls the server in protobuf and is answered so, or as it asks', async () => {
    const call = bytes('0a0767657454696d65 12027b7d');
    const reply = await post('rpc', call, { 'Content-Type': PROTOBUF });
    expect(reply.headers['content-type']).toBe(PROTOBUF);
    expect([...reply.payload.subarray(0, 2)]).toEqual([0x12, reply.payload.length - 2]);
    const json = await post('rpc', call, { 'Content-Type': PROTOBUF, Accept: 'application/json' });
    expect(JSON.parse(json.text)).toHaveProperty('time');
  });

  it('gets a poll in JSON whose profile has become one of JSON', async () => {
    const updates = get('attributes/updates?timeout=10000', PROTOBUF);
    while (gateway.openPolls < 1) await gateway.core.state.ping();
    await save({ transportPayloadType: 'JSON' }, profile);
    await share('a', '42');
    expect(await updates).toMatchObject({ text: '{"a":42}', headers: { 'content-type': 'application/json' } });
  });
});

it('A device of another profile has no schemas: what it calls protobuf is read as JSON', async () => {
  device = await gateway.device();
  expect((await post('telemetry', '{"a":1}', { 'Content-Type': PROTOBUF })).status).toBe(200);
  expect((await post('telemetry', bytes('090000000000803640'), { 'Content-Type': PROTOBUF })).status).toBe(400);
  await share('a', '42');
  expect(await get('attributes', PROTOBUF)).toMatchObject({ text: '{"shared":{"a":42}}' });
});
