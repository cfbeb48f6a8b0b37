import { DEFAULT_RPC_REQUEST_SCHEMA, DEFAULT_RPC_RESPONSE_SCHEMA } from '../payload/protobuf/index';
import type { ProvisionType, TransportType } from './model';
import { completeProfileData, DEFAULT_PROFILE_DATA } from './profile-data';

const LIMITS = { maxBytes: 10_000, schemas: { maxBytes: 1_000, maxTypes: 10, maxFields: 10, maxNesting: 4 } };
const complete = (
  given: string | null,
  transportType: TransportType = 'DEFAULT',
  provisionType: ProvisionType = 'DISABLED',
) => completeProfileData(given, { transportType, provisionType }, LIMITS).profileData;
const coap = (transport: object) => complete(JSON.stringify({ transportConfiguration: transport }), 'COAP');
const transportOf = (json: string) => JSON.parse(json).transportConfiguration;

const CLIENT = { powerMode: 'DRX', edrxCycle: null, psmActivityTimer: null, pagingTransmissionWindow: null };
const JSON_PAYLOAD = { transportPayloadType: 'JSON' };
const TELEMETRY = 'syntax = "proto3"; message T { bool a = 1; }';
const ATTRIBUTES = 'syntax = "proto3"; message A { bool a = 1; }';

describe('The data of a profile', () => {
  it.each([
    ['nothing', null],
    ['an empty object', '{}'],
    [
      'parts that are null',
      '{"configuration":null,"transportConfiguration":null,"provisionConfiguration":null,"alarms":null}',
    ],
    ['empty parts', '{"configuration":{},"transportConfiguration":{},"provisionConfiguration":{}}'],
  ])('is whole where it is given as %s', (_case, given) => {
    expect(complete(given)).toBe(DEFAULT_PROFILE_DATA);
  });

  it('stays as it was written: the order of the members and the text of the numbers', () => {
    const given =
      '{ "alarms": [{"10": 42.0, "a": 9007199254740993}], "mine": 1e5, "configuration": {"x": -0.0, "type": "DEFAULT"} }';
    expect(complete(given)).toBe(
      '{"alarms":[{"10":42.0,"a":9007199254740993}],"mine":1e5,"configuration":{"x":-0.0,"type":"DEFAULT"},' +
        '"transportConfiguration":{"type":"DEFAULT"},"provisionConfiguration":{"type":"DISABLED","provisionDeviceSecret":null}}',
    );
  });

  it('keeps the configuration of transports that are not served', () => {
    const given = '{"type":"MQTT","deviceTelemetryTopic":"v1","sparkplug":false,"n":1.50}';
    expect(complete(`{"transportConfiguration":${given}}`, 'MQTT')).toContain(`"transportConfiguration":${given}`);
    for (const type of ['LWM2M', 'SNMP'] as const) expect(transportOf(complete(null, type))).toEqual({ type });
  });

  it('of a COAP profile says JSON where it says nothing else', () => {
    const whole = {
      type: 'COAP',
      coapDeviceTypeConfiguration: { coapDeviceType: 'DEFAULT', transportPayloadTypeConfiguration: JSON_PAYLOAD },
      clientSettings: CLIENT,
    };
    expect(transportOf(complete(null, 'COAP'))).toEqual(whole);
    expect(transportOf(coap({ coapDeviceTypeConfiguration: {}, clientSettings: null }))).toEqual(whole);
    expect(transportOf(coap(whole))).toEqual(whole);
  });

  it('of EFENTO devices has no payload type, and client settings stay', () => {
    const clientSettings = { powerMode: 'E_DRX', edrxCycle: 20_480, extra: true };
    const coapDeviceTypeConfiguration = { coapDeviceType: 'EFENTO' };
    expect(transportOf(coap({ type: 'COAP', coapDeviceTypeConfiguration, clientSettings }))).toEqual({
      type: 'COAP',
      coapDeviceTypeConfiguration,
      clientSettings: { ...CLIENT, ...clientSettings },
    });
  });

  it.each([
    ['EFENTO', 'COAP', 'EFENTO'],
    ['DEFAULT', 'COAP', 'DEFAULT'],
    ['EFENTO', 'MQTT', 'DEFAULT'],
  ] as const)('about %s devices of a profile for %s tells %s', (coapDeviceType, transportType, told) => {
    const given = JSON.stringify({ transportConfiguration: { coapDeviceTypeConfiguration: { coapDeviceType } } });
    const types = { transportType, provisionType: 'DISABLED' } as const;
    expect(completeProfileData(given, types, LIMITS).coapDeviceType).toBe(told);
  });

  const protobuf = (schemas: object) =>
    coap({
      coapDeviceTypeConfiguration: {
        transportPayloadTypeConfiguration: { transportPayloadType: 'PROTOBUF', ...schemas },
      },
    });

  it.each([
    ['absent', {}],
    ['empty', { deviceRpcRequestProtoSchema: '', deviceRpcResponseProtoSchema: null }],
  ])('with protobuf payloads has the schemas of commands where they are %s', (_case, rpc) => {
    const json = protobuf({ deviceTelemetryProtoSchema: TELEMETRY, deviceAttributesProtoSchema: ATTRIBUTES, ...rpc });
    expect(transportOf(json).coapDeviceTypeConfiguration.transportPayloadTypeConfiguration).toEqual({
      transportPayloadType: 'PROTOBUF',
      deviceTelemetryProtoSchema: TELEMETRY,
      deviceAttributesProtoSchema: ATTRIBUTES,
      deviceRpcRequestProtoSchema: DEFAULT_RPC_REQUEST_SCHEMA,
      deviceRpcResponseProtoSchema: DEFAULT_RPC_RESPONSE_SCHEMA,
      enableCompatibilityWithJsonPayloadFormat: false,
      useJsonPayloadFormatForDefaultDownlinkTopics: false,
    });
  });

  it('keeps schemas as they are whatever the limits are by now, and checks those that are changed', () => {
    const given = protobuf({ deviceTelemetryProtoSchema: TELEMETRY, deviceAttributesProtoSchema: ATTRIBUTES });
    const types = { transportType: 'COAP', provisionType: 'DISABLED' } as const;
    const stored = completeProfileData(given, types, LIMITS);
    const tight = { ...LIMITS, schemas: { ...LIMITS.schemas, maxBytes: 10 } };
    expect(completeProfileData(given, types, tight, stored)).toEqual(stored);
    expect(() => completeProfileData(given, types, tight, { ...stored, payloadType: 'JSON' })).toThrow(
      'longer than 10',
    );
    const changed = given.replace('bool a', 'bool b');
    expect(() => completeProfileData(changed, types, tight, stored)).toThrow('longer than 10');
  });

  it('keeps the secret of its strategy', () => {
    const given = '{"provisionConfiguration":{"type":"ALLOW_CREATE_NEW_DEVICES","provisionDeviceSecret":"s"}}';
    expect(JSON.parse(complete(given, 'DEFAULT', 'ALLOW_CREATE_NEW_DEVICES')).provisionConfiguration).toEqual({
      type: 'ALLOW_CREATE_NEW_DEVICES',
      provisionDeviceSecret: 's',
    });
    expect(JSON.parse(complete(null, 'DEFAULT', 'CHECK_PRE_PROVISIONED_DEVICES')).provisionConfiguration.type).toBe(
      'CHECK_PRE_PROVISIONED_DEVICES',
    );
  });

  const T = 'profileData.transportConfiguration';
  it.each<[string, string, string, TransportType?]>([
    ['a part of another kind', '{"configuration":[]}', 'profileData.configuration must be an object'],
    ['another configuration', '{"configuration":{"type":"OTHER"}}', 'profileData.configuration.type must be DEFAULT'],
    ['a type that is no text', '{"configuration":{"type":1}}', 'profileData.configuration.type must be a text'],
    ['another transport', '{"transportConfiguration":{"type":"DEFAULT"}}', `${T}.type must be COAP`, 'COAP'],
    [
      'another strategy',
      '{"provisionConfiguration":{"type":"ALLOW_CREATE_NEW_DEVICES"}}',
      'profileData.provisionConfiguration.type must be DISABLED, as provisionType is',
    ],
    ['an unknown strategy', '{"provisionConfiguration":{"type":"X"}}', 'must be one of DISABLED, ALLOW_CREATE'],
    [
      'a secret that is no text',
      '{"provisionConfiguration":{"provisionDeviceSecret":7}}',
      'provisionDeviceSecret must be a text',
    ],
    [
      'an unknown device',
      '{"transportConfiguration":{"coapDeviceTypeConfiguration":{"coapDeviceType":"X"}}}',
      `${T}.coapDeviceTypeConfiguration.coapDeviceType must be one of DEFAULT, EFENTO`,
      'COAP',
    ],
    [
      'an unknown payload',
      '{"transportConfiguration":{"coapDeviceTypeConfiguration":{"transportPayloadTypeConfiguration":{"transportPayloadType":"CBOR"}}}}',
      `${T}.coapDeviceTypeConfiguration.transportPayloadTypeConfiguration.transportPayloadType must be one of JSON, PROTOBUF`,
      'COAP',
    ],
    [
      'an unknown power mode',
      '{"transportConfiguration":{"clientSettings":{"powerMode":"OFF"}}}',
      `${T}.clientSettings.powerMode must be one of DRX, PSM, E_DRX`,
      'COAP',
    ],
    ['more than the limit', `{"x":"${'ü'.repeat(5_000)}"}`, 'profileData is longer than 10000 bytes'],
  ])('is refused with %s', (_case, given, message, transportType = 'DEFAULT') => {
    expect(() => complete(given, transportType)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(message) }),
    );
  });

  it.each([
    ['no telemetry', {}, 'deviceTelemetryProtoSchema: '],
    ['no attributes', { deviceTelemetryProtoSchema: TELEMETRY }, 'deviceAttributesProtoSchema: '],
    ['a schema that is no text', { deviceTelemetryProtoSchema: 1 }, 'deviceTelemetryProtoSchema must be a text'],
    ['a schema beyond its limit', { deviceTelemetryProtoSchema: ' '.repeat(1_001) }, 'longer than 1000 bytes'],
    [
      'a schema that is none',
      {
        deviceTelemetryProtoSchema: TELEMETRY,
        deviceAttributesProtoSchema: ATTRIBUTES,
        deviceRpcResponseProtoSchema: '\nx',
      },
      'deviceRpcResponseProtoSchema, line 2: ',
    ],
  ])('with protobuf payloads is refused with %s', (_case, schemas, message) => {
    expect(() => protobuf(schemas)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(message) }),
    );
  });
});
