import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, Root, type Type } from 'protobufjs';
import { trustedValue } from '../value';
import {
  attributeResponse,
  attributeUpdate,
  clientRpcResponse,
  readClaimMessage,
  readClientRpcMessage,
} from './fixed-messages';

const PROTO = path.resolve(__dirname, '../../../../../proto');
const CAST = { longs: String, enums: String } as const;
const kv = (key: string, value: string) => ({ key, value: trustedValue(value) });
const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

function typeOf(file: string, name: string): Type {
  const source = readFileSync(path.join(PROTO, file), 'utf8');
  return parse(source, new Root(), { keepCase: true }).root.lookupType(name);
}

const read = (name: string, bytes: Buffer) => {
  const type = typeOf('transport.proto', name);
  return type.toObject(type.decode(bytes), CAST);
};

const ALL = [
  kv('flag', 'true'),
  kv('off', 'false'),
  kv('count', '-9223372036854775808'),
  kv('none', '0'),
  kv('temperature', '42.0'),
  kv('zero', '0.0'),
  kv('text', '"a\\nß"'),
  kv('empty', '""'),
  kv('object', '{"b":[1,2.0],"a":{}}'),
];
const READ = [
  { key: 'flag', bool_v: true },
  { key: 'off' },
  { key: 'count', type: 'LONG_V', long_v: '-9223372036854775808' },
  { key: 'none', type: 'LONG_V' },
  { key: 'temperature', type: 'DOUBLE_V', double_v: 42 },
  { key: 'zero', type: 'DOUBLE_V' },
  { key: 'text', type: 'STRING_V', string_v: 'a\nß' },
  { key: 'empty', type: 'STRING_V' },
  { key: 'object', type: 'JSON_V', json_v: '{"b":[1,2.0],"a":{}}' },
];

describe('The fixed messages that a device gets (contract 4.5, proto/transport.proto)', () => {
  it('has attributes of every type in both scopes, each with its type and the field of that type', () => {
    expect(read('GetAttributeResponseMsg', attributeResponse(ALL, [kv('a', '42')]))).toEqual({
      clientAttributeList: READ.map((one) => ({ kv: one })),
      sharedAttributeList: [{ kv: { key: 'a', type: 'LONG_V', long_v: '42' } }],
    });
  });

  it('says when an attribute was changed, where that is known', () => {
    const dated = { ...kv('a', '42'), lastUpdateTs: 1_700_000_000_000 };
    expect(read('GetAttributeResponseMsg', attributeResponse([], [dated]))).toEqual({
      sharedAttributeList: [{ ts: '1700000000000', kv: { key: 'a', type: 'LONG_V', long_v: '42' } }],
    });
  });

  it('has changes and deletions of shared attributes, and no byte where there is neither (TV-330 to TV-332)', () => {
    expect(read('AttributeUpdateNotificationMsg', attributeUpdate(ALL, ['x', 'y']))).toEqual({
      sharedUpdated: READ.map((one) => ({ kv: one })),
      sharedDeleted: ['x', 'y'],
    });
    expect(attributeUpdate([], [])).toHaveLength(0);
    expect(attributeUpdate([kv('a', '42')], []).toString('hex')).toBe('0a091207' + '0a01611001202a');
    expect(attributeUpdate([], ['a']).toString('hex')).toBe('120161');
  });

  it('has the reply to a command of the device as JSON text, and a failure as its text', () => {
    expect(read('ToServerRpcResponseMsg', clientRpcResponse('{"time":"now"}'))).toEqual({ payload: '{"time":"now"}' });
    expect(read('ToServerRpcResponseMsg', clientRpcResponse('{"error":"no \\"x\\""}'))).toEqual({ error: 'no "x"' });
    const deep = `{"error":"a","b":${'['.repeat(1_000)}${']'.repeat(1_000)}}`;
    for (const json of ['{"error":"a","b":1}', '{"error":{}}', '{"error":"a\\"}', deep]) {
      expect(read('ToServerRpcResponseMsg', clientRpcResponse(json))).toEqual({ payload: json });
    }
  });

  const protoc = spawnSync('protoc', ['--version']).status === 0 ? it : it.skip;
  protoc('are read by protoc', () => {
    const text = execFileSync(
      'protoc',
      [`--proto_path=${PROTO}`, '--decode=transport.AttributeUpdateNotificationMsg', 'transport.proto'],
      { input: attributeUpdate(ALL, ['x']), encoding: 'utf8' },
    );
    expect(text).toContain('long_v: -9223372036854775808');
    expect(text).toContain('sharedDeleted: "x"');
    expect(text).not.toMatch(/^\d/m);
  });
});

describe('The fixed messages that a device sends (contract 4.5, proto/transportapi.proto)', () => {
  const encode = (name: string, value: object) => {
    const type = typeOf('transportapi.proto', name);
    return Buffer.from(type.encode(type.fromObject(value)).finish());
  };

  it('claims with a secret and a time, either of which may be absent (TV-325, TV-326)', () => {
    expect(readClaimMessage(bytesOf('0a0576616c756510e0d403'))).toEqual({ secretKey: 'value', durationMs: 60_000 });
    expect(readClaimMessage(encode('ClaimDevice', { durationMs: -1 }))).toEqual({ durationMs: -1 });
    expect(readClaimMessage(encode('ClaimDevice', { secretKey: 'a' }))).toEqual({ secretKey: 'a' });
    expect(readClaimMessage(Buffer.alloc(0))).toEqual({});
    expect(() => readClaimMessage(bytesOf('0a05'))).toThrow(expect.objectContaining({ code: 'BAD_PAYLOAD' }));
  });

  const LENIENT = { paramsRequired: false };

  it('commands with a method and params as JSON text (TV-327)', () => {
    expect(readClientRpcMessage(bytesOf('0a0767657454696d6512027b7d'), LENIENT)).toEqual({
      method: 'getTime',
      params: '{}',
    });
    const params = '{ "a": 42.0, b: [9223372036854775807] }';
    expect(readClientRpcMessage(encode('RpcRequest', { method: 'm', params }), LENIENT)).toEqual({
      method: 'm',
      params: '{"a":42.0,"b":[9223372036854775807]}',
    });
    expect(readClientRpcMessage(encode('RpcRequest', { method: 'm' }), LENIENT)).toEqual({
      method: 'm',
      params: 'null',
    });
  });

  it.each([
    ['no method', { params: '{}' }, LENIENT],
    ['no params where they are required', { method: 'm' }, { paramsRequired: true }],
    ['params that are no JSON', { method: 'm', params: '{' }, LENIENT],
  ])('is refused as a command with %s', (_case, value, options) => {
    expect(() => readClientRpcMessage(encode('RpcRequest', value), options)).toThrow(
      expect.objectContaining({ code: 'BAD_PAYLOAD' }),
    );
  });
});
