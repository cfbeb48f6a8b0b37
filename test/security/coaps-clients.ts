import { run } from '../interop/tool';
import { DtlsDevice } from '../support/dtls-device';
import type { Identity } from './pki';

/** Programs that are not ours, each on a library of its own. */
export const CLIENTS = ['s_client', 'coap-client-openssl', 'coap-client-gnutls'] as const;
export type ClientName = (typeof CLIENTS)[number];

/** What a client shows of itself. */
export interface Shown {
  readonly identity?: Identity;
  /** What is above its certificate, and sent behind it. */
  readonly above?: Identity;
  /** The key as text, which is what coap-client takes. */
  readonly psk?: { readonly identity: string; readonly key: string };
}

/** How libcoap and OpenSSL call the alerts of RFC 5246 section 7.2 that it prints without a number. */
const ALERTS: Readonly<Record<string, number>> = {
  'handshake failure': 40,
  'bad certificate': 42,
  'unsupported certificate': 43,
  'certificate revoked': 44,
  'certificate expired': 45,
  'unknown CA': 48,
  'decrypt error': 51,
  'unknown PSK identity': 115,
};

/** What coap-client is told of itself. */
export function coapArguments({ identity, above, psk }: Shown): string[] {
  if (psk) return ['-u', psk.identity, '-k', psk.key];
  if (!identity) return [];
  // That of OpenSSL never sends more than the first certificate of the file; that of GnuTLS sends all.
  const file = above ? identity.chainFile : identity.certificateFile;
  return ['-c', file, '-j', identity.keyFile];
}

export interface Request {
  readonly port: number;
  /** Below the root, without a slash before it. */
  readonly path: string;
  readonly shown: Shown;
  readonly payload?: string;
}

/** Posts one message. @returns the code of the answer, as `2.01`, or `alert 48` where the handshake is refused */
export function post(client: ClientName, request: Request): Promise<string> {
  return client === 's_client' ? postBySClient(request) : postByLibcoap(client, request);
}

export const optionsOf = ({ identity, above, psk }: Shown) => ({
  certificate: identity,
  chainFile: above?.certificateFile,
  psk: psk && { identity: psk.identity, key: Buffer.from(psk.key).toString('hex') },
});

async function postBySClient({ port, path, shown, payload }: Request): Promise<string> {
  const device = new DtlsDevice(port, optionsOf(shown));
  try {
    const { kind } = await device.ask('POST', path, payload ?? '{"a":1}');
    return kind.replace(/^\w+ /, '');
  } catch (error) {
    if (!device.over) throw error;
    return /alert \d+/.exec(await device.ended)?.[0] ?? (await device.ended);
  } finally {
    device.kill();
  }
}

async function postByLibcoap(client: ClientName, { port, path, shown, payload }: Request): Promise<string> {
  const said = await run(
    client,
    ...['-v', '6', '-B', '10', ...coapArguments(shown)],
    ...['-m', 'post', '-e', payload ?? '{"a":1}', `coaps://127.0.0.1:${port}/${path}`],
  );
  const answer = /t:(?:ACK|CON|NON) c:(\d\.\d\d)/.exec(said)?.[1];
  if (answer) return answer;
  const number = /Alert '(\d+)'/.exec(said)?.[1] ?? ALERTS[/alert read:fatal:(.+)/.exec(said)?.[1] ?? ''];
  return number === undefined ? said : `alert ${number}`;
}
