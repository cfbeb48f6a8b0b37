import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openSsl, RECEIVE_BUFFER_BYTES } from '@tandem/coap-transport';
import type { Settings } from '@tandem/core';
import { type Finding, fail, ok, warn } from './finding';
import { servesCoap, servesCoaps, servesHttp } from './ports';

/** Descriptors beside those of HTTP connections: the store, Redis, UDP, files. */
const OTHER_DESCRIPTORS = 500;

/** What the operating system grants. @param read a file's text, or nothing where there is none: see `textOf` */
export function checkMachine(settings: Settings, read: (file: string) => string | undefined = textOf): Finding[] {
  return [
    ...(servesHttp(settings) ? checkOpenFiles(settings, read('/proc/self/limits')) : []),
    ...(servesCoap(settings) || servesCoaps(settings) ? checkReceiveBuffer(read('/proc/sys/net/core/rmem_max')) : []),
  ];
}

function checkOpenFiles({ TANDEM_HTTP_MAX_CONNECTIONS: connections }: Settings, limits: string | undefined): Finding[] {
  // The hard one: Node takes as much as it may.
  const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(limits ?? '') ?? [];
  if (hard === undefined || hard === 'unlimited') return [];
  const about = 'open files';
  if (Number(hard) >= connections + OTHER_DESCRIPTORS)
    return [ok(about, `up to ${hard} for a process that is started as this one`)];
  return [
    warn(
      about,
      `a process that is started as this one may have ${hard}, and TANDEM_HTTP_MAX_CONNECTIONS is ${connections}`,
      `Let it have more (LimitNOFILE=${connections + OTHER_DESCRIPTORS} under systemd, ulimits in compose), or set TANDEM_HTTP_MAX_CONNECTIONS to ${Math.max(1, Number(hard) - OTHER_DESCRIPTORS)}.`,
    ),
  ];
}

function checkReceiveBuffer(max: string | undefined): Finding[] {
  if (max === undefined) return [];
  const about = 'UDP receive buffer';
  if (Number(max) >= RECEIVE_BUFFER_BYTES) return [ok(about, `${RECEIVE_BUFFER_BYTES} bytes`)];
  return [
    warn(
      about,
      `the system grants ${Number(max)} bytes of the ${RECEIVE_BUFFER_BYTES} that are asked for: bursts of datagrams get lost`,
      `As root: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}, and the same in a file of /etc/sysctl.d.`,
    ),
  ];
}

/** Whether CoAP over DTLS can be had in this `node`; of interest to those alone who serve it. */
export function checkDtls(settings: Settings): Finding[] {
  if (!servesCoaps(settings)) return [];
  const about = 'DTLS';
  try {
    openSsl();
    return [ok(about, `with the OpenSSL ${process.versions.openssl} of this node`)];
  } catch (error) {
    return [
      fail(
        about,
        `is not possible here: ${(error as Error).message}`,
        'Run npm ci on this machine, with the official build of Node.js; or set COAP_DTLS_ENABLED=false.',
      ),
    ];
  }
}

/** A clock that has never been set makes certificates invalid and telemetry old. @param now milliseconds since 1970 */
export function checkClock(now: number): Finding {
  const made = statSync(join(__dirname, '..', '..', 'package.json')).mtimeMs;
  const time = new Date(now).toISOString();
  if (now >= made) return ok('clock', time);
  return fail(
    'clock',
    `says ${time}, which was before this program was installed`,
    'Let it follow a time server (chrony, systemd-timesyncd).',
  );
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
