import { checkPayloadSchemas, type SchemaSources, StoredSchemas } from './payload-schemas';

const LIMITS = { maxBytes: 65_536, maxTypes: 100, maxFields: 1_000, maxNesting: 16 };
const schema = (body: string) => `syntax = "proto3";\n${body}`;
const SOURCES: SchemaSources = {
  deviceTelemetryProtoSchema: schema('message T { double temperature = 1; }'),
  deviceAttributesProtoSchema: schema('message A { }'),
  deviceRpcRequestProtoSchema: '',
  deviceRpcResponseProtoSchema: '',
};
const read = (sources: Partial<SchemaSources>) => {
  const all = { ...SOURCES, ...sources };
  checkPayloadSchemas(all, LIMITS);
  return new StoredSchemas(all, LIMITS);
};
const values = 'message V { double a = 1; }';
const request = (fields: string) => `message R {\n${fields}\n}`;
const METHOD = 'optional string method = 1;';
const ID = 'optional int32 requestId = 2;';
const PARAMS = 'optional string params = 3;';

describe('The schemas of a profile', () => {
  it('may leave out those of commands, which then have a method, an id and texts', () => {
    const { telemetry, attributes, rpcRequest, rpcResponse } = read({});
    expect([telemetry.name, attributes.name]).toEqual(['T', 'A']);
    expect(rpcRequest).toMatchObject({
      name: 'RpcRequestMsg',
      fields: [
        { name: 'method', number: 1, optional: true, type: { name: 'string' } },
        { name: 'requestId', number: 2, optional: true, type: { name: 'int32' } },
        { name: 'params', number: 3, optional: true, type: { name: 'string' } },
      ],
    });
    expect(rpcResponse).toMatchObject({ name: 'RpcResponseMsg', fields: [{ name: 'payload', number: 1 }] });
  });

  it.each<[string, Partial<SchemaSources>]>([
    [
      'a time and values',
      { deviceTelemetryProtoSchema: schema(`${values} message T { optional int64 ts = 1; V values = 2; }`) },
    ],
    [
      'a time among others',
      { deviceTelemetryProtoSchema: schema('message T { bool ts = 1; bool values = 2; bool a = 3; }') },
    ],
    ['values alone', { deviceTelemetryProtoSchema: schema('message T { bool values = 2; bool other = 3; }') }],
    [
      'commands of objects',
      {
        deviceRpcRequestProtoSchema: schema(`message P { int32 pin = 1; } ${request(`${METHOD}${ID} P params = 9;`)}`),
      },
    ],
    ['replies of another kind', { deviceRpcResponseProtoSchema: schema('message R { bool ok = 1; }') }],
  ])('may have %s', (_case, sources) => {
    expect(() => read(sources)).not.toThrow();
  });

  const telemetry = (body: string) => ({ deviceTelemetryProtoSchema: schema(body) });
  const commands = (fields: string) => ({ deviceRpcRequestProtoSchema: schema(request(fields)) });
  it.each<[string, Partial<SchemaSources>, string]>([
    ['no telemetry', { deviceTelemetryProtoSchema: '' }, 'deviceTelemetryProtoSchema: a schema has to be'],
    ['no attributes', { deviceAttributesProtoSchema: '' }, 'deviceAttributesProtoSchema: a schema has to be'],
    ['a broken reply', { deviceRpcResponseProtoSchema: 'x' }, 'deviceRpcResponseProtoSchema, line 1: '],
    [
      'telemetry without a field',
      telemetry('\nmessage T { }'),
      "deviceTelemetryProtoSchema, line 3: 'T' has no fields",
    ],
    [
      'values that are no message',
      telemetry('message T { optional int64 ts = 1;\n bool values = 2; }'),
      "line 3: 'values' must be a message",
    ],
    [
      'repeated values beside a time',
      telemetry(`${values} message T { optional int64 ts = 1;\n repeated V values = 2; }`),
      "line 3: 'values' must not be repeated",
    ],
    [
      'a method and an id that exclude each other',
      commands(`oneof either { string method = 1;\n int32 requestId = 2; } ${PARAMS}`),
      "line 4: 'requestId' must not exclude another",
    ],
    [
      'a time of another type',
      telemetry(`${values} message T {\n\noptional int32 ts = 1; V values = 2; }`),
      "line 4: 'ts' must be of type int64",
    ],
    [
      'a time that is always there',
      telemetry(`${values} message T {\n int64 ts = 1; V values = 2; }`),
      "line 3: 'ts' must be optional",
    ],
    [
      'commands of two fields',
      commands(METHOD + ID),
      "deviceRpcRequestProtoSchema, line 2: 'R' must have exactly the fields",
    ],
    [
      'commands of four fields',
      commands(`${METHOD}${ID}${PARAMS} bool a = 4;`),
      "line 2: 'R' must have exactly the fields",
    ],
    [
      'commands of other names',
      commands(`${METHOD}${ID} string args = 4;`),
      "line 2: 'R' must have exactly the fields",
    ],
    [
      'a method that is no text',
      commands(`${ID}\n${PARAMS}\nbytes method = 1;`),
      "line 5: 'method' must be of type string",
    ],
    [
      'an id of another type',
      commands(`${METHOD}${PARAMS}\nint64 requestId = 2;`),
      "line 4: 'requestId' must be of type int32",
    ],
    [
      'several methods',
      commands(`repeated string method = 1; ${ID}${PARAMS}`),
      "line 3: 'method' must not be repeated",
    ],
    [
      'several ids',
      commands(`${METHOD}${PARAMS}\nrepeated int32 requestId = 2;`),
      "line 4: 'requestId' must not be repeated",
    ],
    [
      'several params',
      commands(`${METHOD}${ID}\n\nrepeated string params = 3;`),
      "line 5: 'params' must not be repeated",
    ],
  ])('are refused with the member and the line when they have %s', (_case, sources, expected) => {
    expect(() => read(sources)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(expected) }),
    );
  });
});

describe('The schemas of a profile that is saved again', () => {
  const tight = { ...LIMITS, maxFields: 1 };
  const long = schema('message T { double a = 1; double b = 2; }');
  const former = { ...SOURCES, deviceTelemetryProtoSchema: long, deviceRpcRequestProtoSchema: 'of an earlier time' };

  it('are not checked where they stay as they are, whatever the limits are by now', () => {
    expect(() => checkPayloadSchemas(former, tight, former)).not.toThrow();
    expect(() => checkPayloadSchemas(former, tight)).toThrow('deviceTelemetryProtoSchema');
  });
});

describe('The schemas of a stored profile', () => {
  it('are each read when they are needed first, and once', () => {
    const stored = new StoredSchemas({ ...SOURCES, deviceAttributesProtoSchema: 'x' }, LIMITS);
    expect(stored.telemetry.name).toBe('T');
    expect(stored.telemetry).toBe(stored.telemetry);
    expect([stored.rpcRequest.name, stored.rpcResponse.name]).toEqual(['RpcRequestMsg', 'RpcResponseMsg']);
  });

  it('that cannot be read are the fault of no device, which is found once', () => {
    const stored = new StoredSchemas({ ...SOURCES, deviceAttributesProtoSchema: 'x' }, LIMITS);
    const fault = () => {
      try {
        return stored.attributes;
      } catch (error) {
        return error;
      }
    };
    expect(fault()).toMatchObject({ code: 'INTERNAL' });
    expect(fault()).toBe(fault());
  });
});
