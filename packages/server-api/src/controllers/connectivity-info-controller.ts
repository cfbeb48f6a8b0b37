import type { Core } from '@tandem/core';
import { accessDevice } from '../access/device-access';
import type { CommandLine } from '../connectivity/command-lines';
import { connectivityInfo } from '../connectivity/connectivity-info';
import { deviceDoors } from '../connectivity/device-doors';
import { uuidParameter } from '../http/path';
import { exactly, listOf, nullable, oneOf, TEXT } from '../json/schema';
import { jsonAnswer } from '../routing/answer';
import { json, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';

const COMMAND_LINE = exactly('CommandLine', {
  title: TEXT,
  protocol: oneOf('http', 'https', 'coap', 'coaps'),
  command: TEXT,
});

const some = (...names: readonly string[]): object => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, TEXT])),
  additionalProperties: false,
});

const CONNECTIVITY_ANSWER = {
  title: 'DeviceConnectivity',
  type: 'object',
  properties: {
    http: some('http', 'https'),
    coap: some('coap', 'coaps'),
    commands: listOf(COMMAND_LINE),
    reason: nullable(TEXT),
  },
  required: ['commands', 'reason'],
  additionalProperties: false,
};

/**
 * ThingsBoard's call tells the lines that send telemetry, `http.http` and the like, where the device can use that door. Of the
 * rest a device does, and of why there is no line, ThingsBoard says nothing.
 */
export function connectivityInfoRoutes({ devices, profiles, settings }: Core): Route[] {
  const get = async ({ caller, params, origin }: ApiRequest): Promise<Reply> => {
    const device = await accessDevice(devices, caller, uuidParameter(params, 'deviceId'));
    const [credentials, profile] = await Promise.all([
      devices.credentials(device.tenantId, device.id),
      profiles.getInfo(device.tenantId, device.deviceProfileId),
    ]);
    const { lines, reason } = connectivityInfo(credentials, profile, deviceDoors(settings, origin()), settings);
    return json({
      ...group('http', lines, ['http', 'https']),
      ...group('coap', lines, ['coap', 'coaps']),
      commands: lines,
      reason: reason ?? null,
    });
  };

  return [
    {
      method: 'GET',
      path: '/api/device-connectivity/{deviceId}',
      summary: 'Lines for a shell that do what a device does, with its credentials',
      answer: jsonAnswer(CONNECTIVITY_ANSWER),
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'json',
      handle: get,
    },
  ];
}

/** The first line of each protocol: that which sends telemetry. */
function group(name: string, lines: readonly CommandLine[], protocols: readonly CommandLine['protocol'][]) {
  const found = protocols.flatMap((protocol) => {
    const first = lines.find((line) => line.protocol === protocol);
    return first ? [[protocol, first.command] as const] : [];
  });
  return found.length === 0 ? {} : { [name]: Object.fromEntries(found) };
}
