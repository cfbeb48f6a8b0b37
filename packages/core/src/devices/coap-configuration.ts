import {
  DEFAULT_RPC_REQUEST_SCHEMA,
  DEFAULT_RPC_RESPONSE_SCHEMA,
  readPayloadSchemas,
  type SchemaLimits,
  type SchemaSources,
} from '../payload/protobuf/index';
import type { CoapDeviceType } from './model';
import type { WrittenObject } from './written-object';

/**
 * Checks the transport configuration of a COAP profile and fills in what is absent (server contract 4.3).
 * @throws TandemError BAD_REQUEST
 */
export function completeCoapConfiguration(transport: WrittenObject, limits: SchemaLimits): CoapDeviceType {
  const deviceType = transport.object('coapDeviceTypeConfiguration');
  const coapDeviceType = deviceType.choice('coapDeviceType', ['DEFAULT', 'EFENTO'], 'DEFAULT');
  if (coapDeviceType === 'DEFAULT') {
    const payload = deviceType.object('transportPayloadTypeConfiguration');
    if (payload.choice('transportPayloadType', ['JSON', 'PROTOBUF'], 'JSON') === 'PROTOBUF') {
      completeProtobuf(payload, limits);
    }
    deviceType.put('transportPayloadTypeConfiguration', payload.toJson());
  }
  transport.put('coapDeviceTypeConfiguration', deviceType.toJson());
  const client = transport.object('clientSettings');
  client.choice('powerMode', ['DRX', 'PSM', 'E_DRX'], 'DRX');
  client.fill({ edrxCycle: null, psmActivityTimer: null, pagingTransmissionWindow: null });
  transport.put('clientSettings', client.toJson());
  return coapDeviceType;
}

function completeProtobuf(payload: WrittenObject, limits: SchemaLimits): void {
  const schema = (name: keyof SchemaSources, fallback = '') => {
    const source = payload.text(name) || fallback;
    payload.put(name, JSON.stringify(source));
    return source;
  };
  const sources: SchemaSources = {
    deviceTelemetryProtoSchema: schema('deviceTelemetryProtoSchema'),
    deviceAttributesProtoSchema: schema('deviceAttributesProtoSchema'),
    deviceRpcRequestProtoSchema: schema('deviceRpcRequestProtoSchema', DEFAULT_RPC_REQUEST_SCHEMA),
    deviceRpcResponseProtoSchema: schema('deviceRpcResponseProtoSchema', DEFAULT_RPC_RESPONSE_SCHEMA),
  };
  readPayloadSchemas(sources, limits);
  payload.fill({
    enableCompatibilityWithJsonPayloadFormat: false,
    useJsonPayloadFormatForDefaultDownlinkTopics: false,
  });
}
