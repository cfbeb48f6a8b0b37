import { bare, coap, expectResponse } from './framework/coap-vector';
import { claimedBy } from './framework/customer-user';
import { protobufProfileBody } from './framework/fixtures';
import { Observer } from './framework/observer';
import { decodeMessage, encodeMessage, hex } from './framework/proto-messages';
import type { Scene } from './framework/scene';
import type { Vector } from './framework/vector';

const OCTETS = 42;
const CREATED = bare('ACK 2.01');
const BAD = bare('ACK 4.00');
const TELEMETRY = 'POST /api/v1/tokP/telemetry';
const TIMED = 'POST /api/v1/tokQ/telemetry';

/** @param what the contract says of the bytes besides */
const telemetry = (no: string, bytes: string, what: string, stored: readonly string[] | undefined): Vector => {
  const says = `${TELEMETRY} hex ${bytes} ${what}`;
  return coap(
    no,
    TELEMETRY,
    { says, payload: hex(bytes) },
    stored ? { ...CREATED, stored: { tokP: stored } } : { ...BAD, stored: { tokP: [] } },
  );
};

/** `a` with server time, as a device reads it. */
const A_IS_42 = { kv: { key: 'a', type: 'LONG_V', long_v: '42' } };

async function observing(scene: Scene, feature: 'attributes' | 'rpc'): Promise<Observer> {
  const observer = await Observer.of(scene, 'tokP', feature);
  await observer.register();
  return observer;
}

/** A command of its own, which its observer gets with the id 0, so that the next one has the id 1. */
async function observingAfterOne(scene: Scene): Promise<Observer> {
  const observer = await observing(scene, 'rpc');
  await scene.server.persistentCommand((await scene.device('tokP')).id, 'first', 'x');
  expect(decodeMessage('rpc.RpcRequestMsg', (await observer.next()).payload)).toMatchObject({ requestId: 0 });
  return observer;
}

/** A user can claim with what the device has said. */
const claim = (no: string, payload: Buffer, secret: string): Vector => ({
  no,
  says: `POST /api/v1/tokP/claim ${payload.length > 0 ? `hex ${payload.toString('hex')}` : 'empty'}`,
  sideBySide: true,
  async run(scene) {
    expectResponse(await scene.ask('POST /api/v1/tokP/claim', payload), CREATED);
    expect(await claimedBy(scene, 'tokP', secret)).toBe('SUCCESS');
  },
});

/** Contract 8.14. Where its rows begin with "then", what comes before is done again. */
export const PROTOBUF: readonly Vector[] = [
  telemetry('318', '090000000000803640', '(temperature 22.5)', ['temperature DOUBLE 22.5']),
  telemetry('319', '1a00', '(empty innerObject)', ['innerObject JSON {"key2":false,"key3":0.0,"key4":0,"key5":""}']),
  telemetry('320', '', '(empty payload)', []),
  telemetry('321', 'ff', '', undefined),
  coap('322', TELEMETRY, { says: `${TELEMETRY} JSON {"a":1}`, payload: '{"a":1}' }, { ...BAD, stored: { tokP: [] } }),
  coap(
    '323',
    TIMED,
    {
      says: `${TIMED} ts=1000, values{temp=1.5,cnt=7}`,
      payload: hex('08e807 120b 09000000000000f83f 1007'),
    },
    { ...CREATED, stored: { tokQ: ['cnt LONG 7 at 1000', 'temp DOUBLE 1.5 at 1000'] } },
  ),
  coap(
    '324',
    TIMED,
    {
      says: `${TIMED} ts=1000, values{cnt=9223372036854775807}`,
      payload: hex('08e807 120a 10ffffffffffffffff7f'),
    },
    { ...CREATED, stored: { tokQ: ['cnt LONG 9223372036854775807 at 1000', 'temp DOUBLE 0.0 at 1000'] } },
  ),
  claim('325', hex('0a0576616c756510e0d403'), 'value'),
  claim('326', Buffer.alloc(0), ''),
  {
    no: '327',
    says: 'POST /api/v1/tokP/rpc hex 0a0767657454696d6512027b7d (method getTime, params {})',
    sideBySide: true,
    async run(scene) {
      const ask = async (payload: Buffer) => {
        const answer = await scene.ask('POST /api/v1/tokP/rpc', payload);
        expectResponse(answer, { kind: 'ACK 2.05', format: OCTETS });
        return decodeMessage('transport.ToServerRpcResponseMsg', answer.payload);
      };
      const { payload } = await ask(hex('0a0767657454696d6512027b7d'));
      expect(JSON.parse(String(payload))).toEqual({ time: expect.any(String) });
      const other = encodeMessage('transportapi.RpcRequest', { method: 'askTime', params: '{}' });
      expect(await ask(other)).toMatchObject({ payload: '{"time":"x"}' });
    },
  },
  {
    no: '328',
    says: 'GET /api/v1/tokP/attributes?sharedKeys=a with a LONG 42',
    sideBySide: true,
    async run(scene) {
      await scene.share('tokP', { a: 42 });
      const answer = await scene.ask('GET /api/v1/tokP/attributes?sharedKeys=a');
      expectResponse(answer, { kind: 'ACK 2.05', format: OCTETS });
      const { clientAttributeList, sharedAttributeList } = decodeMessage(
        'transport.GetAttributeResponseMsg',
        answer.payload,
      );
      expect(clientAttributeList).toBeUndefined();
      expect(sharedAttributeList).toEqual([expect.objectContaining(A_IS_42)]);
    },
  },
  coap('329', 'GET /api/v1/tokP/attributes?sharedKeys=zzz', {}, { kind: 'ACK 4.04', text: '' }),
  coap(
    '330',
    'GET /api/v1/tokP/attributes',
    { says: 'GET /api/v1/tokP/attributes Observe 0, none', observe: 0 },
    { kind: 'ACK 2.05', observe: 0, format: OCTETS, text: '' },
  ),
  {
    no: '331',
    says: 'then SHARED a LONG 42',
    sideBySide: true,
    async run(scene) {
      const observer = await observing(scene, 'attributes');
      await scene.share('tokP', { a: 42 });
      const { payload, ...message } = await observer.next();
      expect(message).toMatchObject({ kind: 'CON 2.05', observe: 1, format: OCTETS });
      const { sharedUpdated, sharedDeleted } = decodeMessage('transport.AttributeUpdateNotificationMsg', payload);
      expect(sharedUpdated).toEqual([expect.objectContaining(A_IS_42)]);
      expect(sharedDeleted).toBeUndefined();
      expect(payload.toString('hex')).toContain('0a01611001202a');
    },
  },
  {
    no: '332',
    says: 'then a deleted',
    sideBySide: true,
    async run(scene) {
      await scene.share('tokP', { a: 42 });
      const observer = await observing(scene, 'attributes');
      await scene.unshare('tokP', ['a']);
      expectResponse(await observer.next(), { kind: 'CON 2.05', observe: 1, format: OCTETS, payload: hex('120161') });
    },
  },
  coap(
    '333',
    'GET /api/v1/tokP/rpc',
    { says: 'GET /api/v1/tokP/rpc Observe 0', observe: 0 },
    { ...bare('ACK 2.03'), observe: 0 },
  ),
  {
    no: '334',
    says: 'then RPC id 1 setGpio params "on" (default schema)',
    sideBySide: true,
    async run(scene) {
      const observer = await observingAfterOne(scene);
      await scene.server.persistentCommand((await scene.device('tokP')).id, 'setGpio', 'on');
      const { payload, ...message } = await observer.next();
      expect(message).toMatchObject({ kind: 'CON 2.05', observe: 2, format: OCTETS });
      expect(decodeMessage('rpc.RpcRequestMsg', payload)).toEqual({ method: 'setGpio', requestId: 1, params: 'on' });
    },
  },
  {
    no: '335',
    says: 'same with params {"pin":"23","value":1}',
    sideBySide: true,
    async run(scene) {
      const observer = await observingAfterOne(scene);
      await scene.server.persistentCommand((await scene.device('tokP')).id, 'setGpio', { pin: '23', value: 1 });
      expectResponse(await observer.next(), {
        kind: 'CON 2.05',
        observe: 2,
        format: OCTETS,
        payload: hex('0a077365744770696f 1001 1a167b2270696e223a223233222c2276616c7565223a317d'),
      });
    },
  },
  {
    no: '336',
    says: 'POST /api/v1/tokP/rpc/1 hex 0a0f7b22726573756c74223a226f6b227d (payload {"result":"ok"})',
    sideBySide: true,
    async run(scene) {
      const observer = await observingAfterOne(scene);
      const told = scene.command('twoway', 'tokP', { method: 'setGpio', params: 'on' });
      await observer.next();
      const reply = await scene.ask('POST /api/v1/tokP/rpc/1', hex('0a0f 7b22726573756c74223a226f6b227d'));
      expectResponse(reply, CREATED);
      const { status, text } = await told;
      expect({ status, json: JSON.parse(text) }).toEqual({ status: 200, json: { payload: '{"result":"ok"}' } });
    },
  },
  {
    no: '337',
    says: 'profile saved with proto2 schema, import, or option',
    sideBySide: true,
    async run(scene) {
      const message = 'message M { optional int32 a = 1; }';
      const save = (deviceTelemetryProtoSchema: string) =>
        scene.server.send('POST', '/api/deviceProfile', {
          name: scene.local('refused'),
          type: 'DEFAULT',
          ...protobufProfileBody({ deviceTelemetryProtoSchema }),
        });
      for (const schema of [
        `syntax = "proto2"; ${message}`,
        message,
        `syntax = "proto3"; import "other.proto"; ${message}`,
        `syntax = "proto3"; option java_package = "org.example"; ${message}`,
      ]) {
        const text = expect.stringContaining('deviceTelemetryProtoSchema');
        expect(await save(schema)).toMatchObject({ status: 400, text });
      }
      expect(await save(`syntax = "proto3"; ${message}`)).toMatchObject({ status: 200 });
    },
  },
  coap(
    '338',
    'POST /api/v1/tokT/telemetry',
    { says: 'schema with two top-level messages', payload: hex('0807') },
    { ...CREATED, stored: { tokT: ['second LONG 7'] } },
  ),
];
