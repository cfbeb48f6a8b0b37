import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { parseIpAddress, type Settings } from '@tandem/core';
import { requireKoffi } from './dtls/openssl/library';
import { bindFailure, type CoapDoor } from './open-socket';

/**
 * Sockets on one UDP port that share out what arrives there: the kernel gives all datagrams of one source address and port to the same
 * one (SO_REUSEPORT, Linux), as long as their number stays the same.
 */
export interface PortGroup {
  readonly port: number;
  /** File descriptors, which stay open as long as this process lives and are read by others: nothing reads them here. */
  readonly descriptors: readonly number[];
  /** To be called when a process has taken up a socket: libuv lets every program share what it is handed (SO_REUSEADDR). */
  keepOthersOut(descriptor: number): void;
}

/** There are no such groups here; the message says why. */
export class NoPortGroup extends Error {}

/** Of Linux, the same on all of its 64-bit machines that koffi knows. */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const SOCKADDR_IN = 16;
const SOCKADDR_IN6 = 28;

/**
 * Binds the port of a door as many times as there are processes. The first socket is bound without leave to share, and gets that
 * afterwards: so a port that anybody has, be it another group of this user, is refused.
 * @throws NoPortGroup; Error in one line that names the setting when the port cannot be bound
 */
export async function bindPortGroup(settings: Settings, door: CoapDoor, count: number): Promise<PortGroup> {
  const system = calls();
  const address = settings[`${door}_BIND_ADDRESS`];
  const literal = isIP(address) ? address : await resolved(settings, door);
  const first = system.socket(literal);
  const descriptors = [first];
  const bind = (descriptor: number, port: number) => {
    const code = system.bind(descriptor, socketAddress(literal, port));
    if (code === undefined) return;
    for (const open of descriptors) system.close(open);
    throw bindFailure(settings, door, code);
  };
  bind(first, settings[`${door}_BIND_PORT`]);
  const port = system.portOf(first);
  system.allow(first, SO_REUSEPORT, true);
  while (descriptors.length < count) {
    const next = system.socket(literal);
    descriptors.push(next);
    system.allow(next, SO_REUSEPORT, true);
    bind(next, port);
  }
  return { port, descriptors, keepOthersOut: (descriptor) => system.allow(descriptor, SO_REUSEADDR, false) };
}

/** As `dgram` resolves the name of an address to bind to. */
async function resolved(settings: Settings, door: CoapDoor): Promise<string> {
  try {
    return (await lookup(settings[`${door}_BIND_ADDRESS`], { family: 4 })).address;
  } catch (error) {
    throw bindFailure(settings, door, (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** `sockaddr_in` or `sockaddr_in6`. */
function socketAddress(address: string, port: number): Buffer {
  const [text = '', zone] = address.split('%');
  const six = text.includes(':');
  const bytes = Buffer.alloc(six ? SOCKADDR_IN6 : SOCKADDR_IN);
  // The family is in the order of this machine, the port in that of the network.
  bytes.set(new Uint8Array(Uint16Array.of(six ? AF_INET6 : AF_INET).buffer));
  bytes.writeUInt16BE(port, 2);
  const ip = Buffer.from((parseIpAddress(text) ?? 0n).toString(16).padStart(32, '0'), 'hex');
  if (!six) bytes.set(ip.subarray(12), 4);
  else {
    bytes.set(ip, 8);
    bytes.set(new Uint8Array(Uint32Array.of(zone === undefined ? 0 : zoneId(zone)).buffer), 24);
  }
  return bytes;
}

/** The number of a zone, which may be given by the name of its interface. */
function zoneId(zone: string): number {
  const found = networkInterfaces()[zone]?.find(({ family }) => family === 'IPv6');
  return (found?.family === 'IPv6' && found.scopeid) || Number(zone) || 0;
}

/** What of the C library it takes: `dgram` reads every socket that it binds, and cannot bind one for others. */
function calls() {
  if (process.platform !== 'linux') throw new NoPortGroup(`${process.platform} does not share a UDP port out by peer`);
  const { library, errno } = libc();
  const socket = library.func('int socket(int domain, int type, int protocol)');
  const bind = library.func('int bind(int fd, const void *address, unsigned int length)');
  const getsockname = library.func('int getsockname(int fd, void *address, void *length)');
  const setsockopt = library.func(
    'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  );
  const close = library.func('int close(int fd)');
  const failed = () => getSystemErrorName(-errno());
  return {
    socket(address: string): number {
      const family = address.includes(':') ? AF_INET6 : AF_INET;
      const descriptor: number = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (descriptor < 0) throw new NoPortGroup(`no UDP socket can be had: ${failed()}`);
      return descriptor;
    },
    /** @returns the code of the error, if there is one */
    bind: (descriptor: number, address: Buffer): string | undefined =>
      bind(descriptor, address, address.length) < 0 ? failed() : undefined,
    portOf(descriptor: number): number {
      const address = Buffer.alloc(SOCKADDR_IN6);
      getsockname(descriptor, address, int32(SOCKADDR_IN6));
      return address.readUInt16BE(2);
    },
    allow(descriptor: number, option: number, allowed: boolean): void {
      const value = int32(Number(allowed));
      if (setsockopt(descriptor, SOL_SOCKET, option, value, value.length) < 0) {
        throw new NoPortGroup(`this system does not share UDP ports: ${failed()}`);
      }
    },
    close: (descriptor: number): void => void close(descriptor),
  };
}

function libc() {
  try {
    const koffi = requireKoffi();
    return { library: koffi.load(null), errno: () => koffi.errno() };
  } catch (error) {
    throw new NoPortGroup((error as Error).message);
  }
}

const int32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
