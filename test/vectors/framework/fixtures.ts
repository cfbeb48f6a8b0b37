import type { Scene } from './scene';

/** The fixtures of contract section 8.0, each made fresh for a vector, through the REST API and the device's own. */

export interface FixtureDevice {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

export type ProfileFixture = 'PA' | 'PC' | 'PD';

const DEVICES = {
  /** D1 */
  tok1: (scene: Scene) => deviceWithToken(scene, 'tok1'),
  /** DA */
  tokA: deviceWithAttributes,
  /** DM: nobody's token, but the user name of MQTT_BASIC credentials. */
  mqttuser: deviceWithMqttCredentials,
  /** DP */
  tokP: async (scene: Scene) => deviceWithToken(scene, 'tokP', await protobufProfile(scene, 'DP', {})),
  /** DQ */
  tokQ: async (scene: Scene) => deviceWithToken(scene, 'tokQ', await protobufProfile(scene, 'DQ', TIMED_SCHEMAS)),
  /** Of a schema with two messages. */
  tokT: async (scene: Scene) => deviceWithToken(scene, 'tokT', await protobufProfile(scene, 'DT', TWO_MESSAGES)),
  /** DL */
  tokL: async (scene: Scene) =>
    deviceWithToken(scene, 'tokL', await saveProfile(scene, 'DL', { transportType: 'LWM2M' })),
  /** DF */
  tokF: (scene: Scene) => deviceWithFirmware(scene, 'tokF', binaryPackage),
  /** DU */
  tokU: (scene: Scene) => deviceWithFirmware(scene, 'tokU', urlPackage),
  /** `pre1` of the profile PC */
  pretok: async (scene: Scene) => deviceWithToken(scene, 'pretok', await scene.profile('PC'), 'pre1'),
} as const;

export type TokenName = keyof typeof DEVICES;

export const isTokenName = (text: string): text is TokenName => Object.hasOwn(DEVICES, text);

export const makeDevice = (scene: Scene, name: TokenName): Promise<FixtureDevice> => DEVICES[name](scene);

const PROFILES = {
  PA: { type: 'ALLOW_CREATE_NEW_DEVICES', key: 'ka', secret: 'sa' },
  PC: { type: 'CHECK_PRE_PROVISIONED_DEVICES', key: 'kc', secret: 'sc' },
  PD: { type: 'DISABLED', key: 'kd', secret: 'sd' },
} as const;

/** @returns the id of the profile */
export function makeProfile(scene: Scene, name: ProfileFixture): Promise<string> {
  const { type, key, secret } = PROFILES[name];
  const provisionConfiguration = { type, provisionDeviceSecret: scene.local(secret) };
  return saveProfile(scene, name, {
    provisionType: type,
    provisionDeviceKey: scene.local(key),
    profileData: { provisionConfiguration },
  });
}

/** @returns the id of a profile that has what is given, and else the defaults */
export async function saveProfile(scene: Scene, name: string, given: object): Promise<string> {
  const profile = { name: scene.local(name), type: 'DEFAULT', transportType: 'DEFAULT', ...given };
  return (await scene.call<EntityJson>('POST', '/api/deviceProfile', profile)).id.id;
}

interface EntityJson {
  readonly id: { readonly id: string };
}

const entityId = (entityType: string, id: string) => ({ entityType, id });

/** A device with an access token. @param profileId of the default profile where there is none */
async function deviceWithToken(
  scene: Scene,
  tokenName: string,
  profileId?: string,
  deviceName = `device of ${tokenName}`,
) {
  const token = scene.local(tokenName);
  const name = scene.local(deviceName);
  const deviceProfileId = profileId && entityId('DEVICE_PROFILE', profileId);
  const { id } = await scene.call<EntityJson>('POST', `/api/device?accessToken=${token}`, { name, deviceProfileId });
  return { id: id.id, name, token };
}

const CLIENT_ATTRIBUTES =
  '{"attribute1":"value1","attribute2":true,"attribute3":42.0,"attribute4":73,"attribute5":{"someNumber":42}}';

async function deviceWithAttributes(scene: Scene): Promise<FixtureDevice> {
  const device = await deviceWithToken(scene, 'tokA');
  const written = await scene.http(`POST /${device.token}/attributes`, CLIENT_ATTRIBUTES);
  if (written.status !== 200) throw new Error(`attributes: ${written.status} ${written.text}`);
  await scene.server.share(device.id, { shared1: 'v', shared2: 7 });
  return device;
}

async function deviceWithMqttCredentials(scene: Scene): Promise<FixtureDevice> {
  const name = scene.local('DM');
  const token = scene.local('mqttuser');
  const credentialsValue = JSON.stringify({ clientId: null, userName: token, password: 'secret' });
  const credentials = { credentialsType: 'MQTT_BASIC', credentialsValue };
  const body = { device: { name, type: 'default' }, credentials };
  const { id } = await scene.call<EntityJson>('POST', '/api/device-with-credentials', body);
  return { id: id.id, name, token };
}

// Protobuf

const DEFAULT_SCHEMAS = {
  deviceTelemetryProtoSchema: `syntax = "proto3";
package telemetry;
message SensorDataReading {
  optional double temperature = 1;
  optional double humidity = 2;
  InnerObject innerObject = 3;
  message InnerObject {
    optional string key1 = 1;
    bool key2 = 2;
    double key3 = 3;
    int32 key4 = 4;
    string key5 = 5;
  }
}`,
  deviceAttributesProtoSchema: `syntax = "proto3";
package attributes;
message SensorConfiguration {
  optional string firmwareVersion = 1;
  optional string serialNumber = 2;
}`,
};

/** `ts` is optional: without that, the schema is refused at saving (server contract 4.3). The bytes are the same. */
const TIMED_SCHEMAS = {
  deviceTelemetryProtoSchema: `syntax = "proto3";
message T {
  optional int64 ts = 1;
  V values = 2;
  message V {
    double temp = 1;
    int64 cnt = 2;
  }
}`,
};

const TWO_MESSAGES = {
  deviceTelemetryProtoSchema: `syntax = "proto3";
message First {
  optional string first = 1;
}
message Second {
  optional int32 second = 1;
}`,
};

/** What a COAP profile in protobuf mode is saved with; schemas are the defaults where left out. */
export function protobufProfileBody(schemas: Readonly<Record<string, string>>): object {
  const transportPayloadTypeConfiguration = { transportPayloadType: 'PROTOBUF', ...DEFAULT_SCHEMAS, ...schemas };
  const coapDeviceTypeConfiguration = { coapDeviceType: 'DEFAULT', transportPayloadTypeConfiguration };
  const transportConfiguration = { type: 'COAP', coapDeviceTypeConfiguration };
  return { transportType: 'COAP', profileData: { transportConfiguration } };
}

const protobufProfile = (scene: Scene, name: string, schemas: Readonly<Record<string, string>>): Promise<string> =>
  saveProfile(scene, name, protobufProfileBody(schemas));

// Firmware

/** The file of DF: 2500 bytes, byte i is i mod 256. */
export const FIRMWARE = Buffer.from(Array.from({ length: 2_500 }, (_, i) => i % 256));

/** Title and version are unique within a tenant, so the title `FW` is this vector's own: `FW-339`. */
async function deviceWithFirmware(
  scene: Scene,
  tokenName: string,
  makePackage: (scene: Scene, about: object) => Promise<string>,
): Promise<FixtureDevice> {
  const profileId = await saveProfile(scene, `profile of ${tokenName}`, {});
  const device = await deviceWithToken(scene, tokenName, profileId);
  const deviceProfileId = entityId('DEVICE_PROFILE', profileId);
  const about = { deviceProfileId, type: 'FIRMWARE', title: scene.local('FW'), version: '1.0' };
  await assignFirmware(scene, device, await makePackage(scene, about));
  return device;
}

/** @param packageId null takes it away */
export async function assignFirmware(scene: Scene, { id }: FixtureDevice, packageId: string | null): Promise<void> {
  const device = await scene.call<object>('GET', `/api/device/${id}`);
  const firmwareId = packageId && entityId('OTA_PACKAGE', packageId);
  await scene.call('POST', '/api/device', { ...device, firmwareId });
}

const urlPackage = async (scene: Scene, about: object): Promise<string> =>
  (
    await scene.call<EntityJson>('POST', '/api/otaPackage', {
      ...about,
      usesUrl: true,
      url: 'https://example.org/fw.bin',
    })
  ).id.id;

async function binaryPackage(scene: Scene, about: object): Promise<string> {
  const { id } = (await scene.call<EntityJson>('POST', '/api/otaPackage', about)).id;
  lastUpload = lastUpload.then(
    () => upload(scene, id),
    () => upload(scene, id),
  );
  await lastUpload;
  return id;
}

/** They wait for each other: the gateway takes a few at once, and refuses others. */
let lastUpload: Promise<void> = Promise.resolve();

async function upload(scene: Scene, id: string): Promise<void> {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(FIRMWARE)], { type: 'application/octet-stream' }), 'fw.bin');
  const url = `http://127.0.0.1:${scene.world.api.http}/api/otaPackage/${id}?checksumAlgorithm=SHA256`;
  const headers = { 'X-Authorization': `Bearer ${scene.server.jwt}` };
  const uploaded = await fetch(url, { method: 'POST', headers, body: form });
  if (uploaded.status !== 200) throw new Error(`upload: ${uploaded.status} ${await uploaded.text()}`);
}
