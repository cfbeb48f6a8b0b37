import {
  checkPayloadSchemas,
  DEFAULT_RPC_REQUEST_SCHEMA,
  DEFAULT_RPC_RESPONSE_SCHEMA,
  type SchemaLimits,
  type SchemaSources,
} from '../payload/protobuf/index';
import type { PayloadType, ProfileInfo } from './model';
import type { WrittenObject } from './written-object';

/** What of the configuration is kept beside it. */
export type CoapKinds = Pick<ProfileInfo, 'coapDeviceType' | 'payloadType'>;

/** Of a profile of another transport. */
export const NO_COAP: CoapKinds = { coapDeviceType: 'DEFAULT', payloadType: 'JSON' };

/**
 * Checks the transport configuration of a COAP profile and fills in what is absent (server contract 4.3).
 * @param former the schemas in force, if there are any: those that stay are not checked again
 * @throws TandemError BAD_REQUEST
 */
export function completeCoapConfiguration(
  transport: WrittenObject,
  limits: SchemaLimits,
  former?: SchemaSources,
): CoapKinds {
  const deviceType = transport.object('coapDeviceTypeConfiguration');
  const coapDeviceType = deviceType.choice('coapDeviceType', ['DEFAULT', 'EFENTO'], 'DEFAULT');
  let payloadType: PayloadType = 'JSON';
  if (coapDeviceType === 'DEFAULT') {
    const payload = deviceType.object('transportPayloadTypeConfiguration');
    payloadType = payload.choice('transportPayloadType', ['JSON', 'PROTOBUF'], 'JSON');
    if (payloadType === 'PROTOBUF') completeProtobuf(payload, limits, former);
    deviceType.put('transportPayloadTypeConfiguration', payload.toJson());
  }
  transport.put('coapDeviceTypeConfiguration', deviceType.toJson());
  const client = transport.object('clientSettings');
  client.choice('powerMode', ['DRX', 'PSM', 'E_DRX'], 'DRX');
  client.fill({ edrxCycle: null, psmActivityTimer: null, pagingTransmissionWindow: null });
  transport.put('clientSettings', client.toJson());
  return { coapDeviceType, payloadType };
}

function completeProtobuf(payload: WrittenObject, limits: SchemaLimits, former: SchemaSources | undefined): void {
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
  checkPayloadSchemas(sources, limits, former);
  payload.fill({
    enableCompatibilityWithJsonPayloadFormat: false,
    useJsonPayloadFormatForDefaultDownlinkTopics: false,
  });
}

/** @param profileData as it is stored, of a profile with protobuf payloads */
export function schemaSourcesOf(profileData: string): SchemaSources {
  const data = JSON.parse(profileData) as {
    readonly transportConfiguration: {
      readonly coapDeviceTypeConfiguration: { readonly transportPayloadTypeConfiguration: SchemaSources };
    };
  };
  return data.transportConfiguration.coapDeviceTypeConfiguration.transportPayloadTypeConfiguration;
}
