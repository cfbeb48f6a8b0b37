import { systemClock, systemRandom } from '@tandem/core';
import { CoapLink, coapProvision } from './coap-link';
import type { DeviceLink, Provision } from './device-link';
import { parseCount, parseDuration } from './duration';
import { type Member, provisioned, saveTokens, tokensIn } from './fleet';
import { gatewayUrl } from './gateway-url';
import { HttpLink, httpProvision } from './http-link';
import { Journal } from './journal';
import { type Plan, SimulatedDevice } from './simulated-device';
import { parseTemplate } from './telemetry-template';

export interface DeviceCommandOptions {
  readonly token?: string;
  readonly tokenFile?: string;
  readonly provisionKey?: string;
  readonly provisionSecret?: string;
  readonly namePrefix?: string;
  readonly saveTokens?: string;
  readonly count?: string;
  readonly interval: string;
  readonly telemetry: string;
  readonly messages?: string;
  readonly for?: string;
  readonly answer?: string;
  readonly listen: boolean;
  readonly firmware?: boolean;
  readonly json?: boolean;
}

/**
 * `tandem device`: plays one or many devices.
 * @param stop ends it
 * @returns whether it did what it was asked to: something was sent, and no device was refused
 * @throws Error in one line about options, or a fleet that cannot be had
 */
export async function runDevices(
  address: string,
  options: DeviceCommandOptions,
  print: (line: string) => void,
  stop: AbortController,
): Promise<boolean> {
  const url = gatewayUrl(address);
  const plan = planOf(options, url);
  const journal = new Journal(systemClock, options.json ?? false, print);
  const members = await membersOf(url, options, journal);
  if (options.saveTokens) saveTokens(options.saveTokens, members);
  if (options.for !== undefined) {
    const timer = setTimeout(() => stop.abort(), parseDuration(options.for));
    stop.signal.addEventListener('abort', () => clearTimeout(timer));
  }
  const around = { clock: systemClock, random: systemRandom, journal };
  await Promise.all(
    members.map(async ({ name, token }, at) => {
      const link = await linkTo(url, token);
      const device = new SimulatedDevice(name, at + 1, link, plan, around, stop.signal);
      await device.run((plan.interval * at) / members.length);
    }),
  );
  stop.abort();
  journal.summary();
  const { sent, refused } = journal.counts;
  return refused === 0 && (sent > 0 || plan.messages === 0);
}

function planOf(options: DeviceCommandOptions, url: URL): Plan {
  const { answer, messages, interval, telemetry, listen, firmware = false } = options;
  if (answer !== undefined) mustBeAnswer(answer, url);
  return {
    telemetry: parseTemplate(telemetry, systemRandom),
    interval: parseDuration(interval),
    messages: messages === undefined ? undefined : parseCount('--messages', messages, 0),
    listen,
    answer,
    firmware,
  };
}

function mustBeAnswer(text: string, { protocol }: URL): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`The answer is no JSON: ${(error as Error).message}`);
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (protocol === 'coap:' && !isObject) throw new Error('Over CoAP the answer to a command must be a JSON object');
}

async function membersOf(url: URL, options: DeviceCommandOptions, journal: Journal): Promise<readonly Member[]> {
  const { token, tokenFile, provisionKey, provisionSecret } = options;
  const ways = [token, tokenFile, provisionKey].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw new Error('Give one of --token, --token-file, and --provision-key with --provision-secret');
  const count = options.count === undefined ? undefined : parseCount('--count', options.count);
  if (tokenFile !== undefined) return tokensIn(tokenFile, count);
  if (token !== undefined) {
    if ((count ?? 1) !== 1) throw new Error('One token is one device: for more give --token-file, or --provision-key');
    return [{ name: 'device-1', token }];
  }
  if (provisionSecret === undefined) throw new Error('--provision-key needs --provision-secret as well');
  const wish = {
    key: provisionKey ?? '',
    secret: provisionSecret,
    prefix: options.namePrefix ?? `simulated-${systemRandom.alphanumeric(4)}`,
    count: count ?? 1,
  };
  const { provision, close } = await provisionAt(url);
  try {
    return await provisioned(provision, wish, journal);
  } finally {
    close();
  }
}

const provisionAt = async (url: URL): Promise<{ provision: Provision; close(): void }> =>
  url.protocol === 'coap:' ? coapProvision(url) : { provision: httpProvision(url), close: () => {} };

const linkTo = async (url: URL, token: string): Promise<DeviceLink> =>
  url.protocol === 'coap:' ? CoapLink.open(url, token) : new HttpLink(url, token);
