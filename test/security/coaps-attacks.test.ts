import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { generate } from 'coap-packet';
import { FakeRandom } from '../../packages/coap-transport/src/endpoint/testing/fake-random';
import { endTools, run } from '../interop/tool';
import { DtlsDevice } from '../support/dtls-device';
import { eventually } from '../support/eventually';
import { cleanUp } from '../support/gateway-process';
import { post } from './coaps-clients';
import { CoapsGateway } from './coaps-gateway';
import { boundSocket, DtlsProxy } from './dtls-proxy';
import {
  CONTENT,
  cookieIn,
  type DtlsRecord,
  helloOf,
  MESSAGE,
  offering,
  RECORD_HEADER,
  record,
  recordedHello,
  recordsOf,
  withCookie,
} from './dtls-records';
import { Pki } from './pki';

/** Handshakes that led to a session. */
const OPENED = { outcome: ['opened', 'resumed'] };

const TELEMETRY = 'api/v1/honest/telemetry';
const pki = new Pki();
let gateway: CoapsGateway;
let honest: string;
const proxies: DtlsProxy[] = [];
const devices: DtlsDevice[] = [];
const sockets: Socket[] = [];

beforeAll(async () => {
  gateway = await CoapsGateway.start(pki.server);
  honest = await gateway.server.createDevice('honest');
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) proxy.close();
  for (const socket of sockets.splice(0)) socket.close();
  for (const device of devices) device.kill();
  await Promise.all(devices.splice(0).map((device) => device.ended));
  await endTools();
});
afterAll(async () => {
  await cleanUp();
  pki.remove();
});

async function proxy(): Promise<DtlsProxy> {
  const opened = await DtlsProxy.open(gateway.port);
  proxies.push(opened);
  return opened;
}

async function stranger(address?: string): Promise<Socket> {
  const socket = await boundSocket(address);
  sockets.push(socket);
  return socket;
}

function connect(port: number, ...more: string[]): DtlsDevice {
  const device = new DtlsDevice(port, { more });
  devices.push(device);
  return device;
}

const sessionsOpened = () => gateway.process.metric('tandem_dtls_handshakes_total', OPENED);

/** A message of its own: told from all others also where two are stored in the same millisecond. */
const saying = (key: string, value: number) => `{"${key}-${value}":1}`;

/** Resolves when exactly these are stored, once each: what comes behind them through the same door is stored behind them. */
async function exactly(key: string, values: readonly number[]): Promise<void> {
  const last = `${key} is over`;
  expect(await connect(gateway.port).post(TELEMETRY, `{"${last}":1}`)).toBe('ACK 2.01');
  await eventually(async () => (last in (await gateway.server.latest(honest)) ? undefined : 'not in the view yet'));
  const keys = Object.keys(await gateway.server.latest(honest)).filter((each) => each.startsWith(`${key}-`));
  const histories = await gateway.server.histories(honest, keys);
  const found = Object.entries(histories).map(([each, points]) => [each, points.length]);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(values.map((value) => [`${key}-${value}`, 1])));
}

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

describe('With a bit changed on the way, in', () => {
  /** @returns what is sent on; resolves `reached` when the record was changed */
  const changing = (wanted: (record: DtlsRecord) => boolean) => {
    let done: () => void = () => {};
    const reached = new Promise<void>((resolve) => {
      done = resolve;
    });
    const up = (datagram: Buffer) => {
      const records = recordsOf(datagram);
      const changed = records.map((each) => (wanted(each) ? flipped(each.bytes, each.bytes.length - 1) : each.bytes));
      if (records.some(wanted)) done();
      return [Buffer.concat(changed)];
    };
    return { up, reached };
  };

  it.each(['s_client', 'coap-client-openssl', 'coap-client-gnutls'] as const)(
    'the CertificateVerify of an honest %s, no session opens: alert 51',
    async (client) => {
      const between = await proxy();
      between.up = changing(({ message }) => message === MESSAGE.certificateVerify).up;
      const before = await sessionsOpened();
      const answer = await post(client, { port: between.port, path: TELEMETRY, shown: { identity: pki.client } });
      expect(answer).toBe('alert 51');
      expect(await sessionsOpened()).toBe(before);
    },
  );

  it.each<[string, (record: DtlsRecord) => boolean]>([
    ['the certificate', ({ message }) => message === MESSAGE.certificate],
    ['the key exchange', ({ message }) => message === MESSAGE.clientKeyExchange],
    ['the Finished', ({ content, epoch }) => content === CONTENT.handshake && epoch === 1],
    ['the ClientHello that has the cookie', ({ message, bytes }) => message === MESSAGE.clientHello && bytes[10] === 1],
  ])('%s, no session opens, and the next client gets its own', async (_, wanted) => {
    const between = await proxy();
    const { up, reached } = changing(wanted);
    between.up = up;
    const before = await sessionsOpened();
    const { certificateFile, keyFile } = pki.client;
    connect(between.port, '-cert', certificateFile, '-key', keyFile);
    await reached;
    expect(await connect(gateway.port).post(TELEMETRY)).toBe('ACK 2.01');
    expect(await sessionsOpened()).toBe(before + 1);
  });
});

describe('Where 30 % of the datagrams are lost each way', () => {
  it('every handshake completes, and every message is stored once', async () => {
    const { certificateFile, keyFile } = pki.client;
    const repeating: NodeJS.Timeout[] = [];
    const numbers = [0, 1, 2, 3];
    const open = (n: number, between: DtlsProxy) => {
      const random = new FakeRandom(1_000 + n);
      const lossy = (datagram: Buffer) => (random.fraction() < 0.3 ? [] : [datagram]);
      const device = connect(between.port, '-cert', certificateFile, '-key', keyFile);
      const message = telemetry(saying('lossy', n), n);
      between.down = lossy;
      between.up = (datagram) => {
        // What was written before the handshake is done goes out with its end, and is repeated from then on as CoAP has it.
        if (datagram[0] === CONTENT.applicationData && repeating[n] === undefined) {
          repeating[n] = setInterval(() => device.sendRaw(message), 500);
        }
        return lossy(datagram);
      };
      device.sendRaw(message);
    };
    for (const n of numbers) open(n, await proxy());
    try {
      await eventually(async () => {
        const latest = await gateway.server.latest(honest);
        const missing = numbers.filter((n) => !(`lossy-${n}` in latest));
        return missing.length === 0 ? undefined : `${missing} are missing`;
      }, 150_000);
    } finally {
      for (const timer of repeating) clearInterval(timer);
    }
    await exactly('lossy', numbers);
  }, 180_000);
});

/** A confirmable message as it is in a datagram of plain CoAP. */
const telemetry = (payload: string, messageId: number): Buffer =>
  generate({
    code: 'POST',
    confirmable: true,
    messageId,
    token: Buffer.from('lossy'),
    options: TELEMETRY.split('/').map((part) => ({ name: 'Uri-Path' as const, value: Buffer.from(part) })),
    payload: Buffer.from(payload),
  });

describe('A flood of ClientHellos', () => {
  const AT_ONCE = 100;
  const ROUND = 500;
  const MEGABYTE = 1_048_576;
  const resident = () =>
    Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${gateway.process.pid}/status`, 'latin1'))?.[1]) * 1_024;

  const cookiesAsked = () => gateway.process.metric('tandem_dtls_cookies_total');
  const handshakesGivenUp = () =>
    gateway.process.metric('tandem_dtls_handshakes_total', { outcome: ['evicted', 'replaced'] });

  interface Flood {
    readonly from: readonly Socket[];
    readonly helloFor: (socket: Socket) => Buffer;
    /** Counts those that have come through: the kernel drops what the gateway does not read in time. */
    readonly through: () => Promise<number>;
  }

  /** Sends from the sockets in turn until so many have come through. @returns bytes there and back */
  async function flood(count: number, { from, helloFor, through }: Flood) {
    const enough = (await through()) + count;
    const bytes = { sent: 0, answered: 0 };
    const note = (answer: Buffer) => {
      bytes.answered += answer.length;
    };
    for (const socket of from) socket.on('message', note);
    while ((await through()) < enough) {
      for (let n = 0; n < ROUND; n++) {
        const socket = from[n % from.length];
        if (!socket) continue;
        const hello = helloFor(socket);
        bytes.sent += hello.length;
        socket.send(hello, gateway.port, '127.0.0.1');
        if (n % AT_ONCE === 0) await new Promise(setImmediate);
      }
    }
    for (const socket of from) socket.off('message', note);
    return bytes;
  }

  it('without cookies leaves nothing behind, gets less than it sent, and lets honest devices in meanwhile', async () => {
    const hello = await recordedHello();
    const from = await Promise.all(Array.from({ length: 50 }, () => stranger()));
    const attack = { from, helloFor: () => helloOf(hello, randomBytes(32)), through: cookiesAsked };
    const underWay = await gateway.process.metric('tandem_dtls_running_handshakes');
    await flood(2_000, attack);
    const before = resident();
    const device = connect(gateway.port);
    const [{ sent, answered }, answer] = await Promise.all([flood(10_000, attack), device.post(TELEMETRY)]);
    expect(answer).toBe('ACK 2.01');
    expect(answered).toBeLessThan(sent);
    expect(await gateway.process.metric('tandem_dtls_running_handshakes')).toBeLessThanOrEqual(underWay);
    expect(resident() - before).toBeLessThan(40 * MEGABYTE);
  });

  it('with cookies of one address fills no more than the places of that address, and devices of others get in', async () => {
    const hello = await recordedHello();
    const from = await Promise.all(Array.from({ length: 100 }, () => stranger('127.0.0.3')));
    const cookies = await Promise.all(
      from.map(async (socket): Promise<[Socket, Buffer]> => {
        const answer = once(socket, 'message');
        socket.send(hello, gateway.port, '127.0.0.1');
        const [bytes] = (await answer) as [Buffer];
        return [socket, Buffer.from(cookieIn(bytes))];
      }),
    );
    const cookieOf = new Map(cookies);
    const helloFor = (socket: Socket) =>
      withCookie(helloOf(hello, randomBytes(32)), cookieOf.get(socket) ?? Buffer.alloc(0));
    const attack = { from, helloFor, through: handshakesGivenUp };
    const underWay = await gateway.process.metric('tandem_dtls_running_handshakes');
    await flood(300, attack);
    const before = resident();
    const device = connect(gateway.port, '-bind', '127.0.0.2:0');
    const [, answer] = await Promise.all([flood(2_000, attack), device.post(TELEMETRY)]);
    expect(answer).toBe('ACK 2.01');
    expect(await gateway.process.metric('tandem_dtls_running_handshakes')).toBeLessThanOrEqual(underWay + 64);
    expect(resident() - before).toBeLessThan(40 * MEGABYTE);
  });
});

describe('In a session that somebody listens to and sends into', () => {
  it('exactly what the device says is stored, whatever else comes from its address', async () => {
    const between = await proxy();
    const hello = await recordedHello();
    const device = connect(between.port);
    expect(await device.post(TELEMETRY, saying('injected', 0))).toBe('ACK 2.01');
    const random = new FakeRandom(7);
    const alerts = [0, 1].map((epoch) => record(CONTENT.alert, epoch, 5, Buffer.of(2, 0)));
    between.up = (datagram) => {
      const at = Math.floor(random.fraction() * datagram.length);
      const former = between.seen[Math.floor(random.fraction() * between.seen.length)] ?? datagram;
      return [
        ...alerts,
        flipped(datagram, at),
        datagram.subarray(0, at),
        record(CONTENT.heartbeat, 0, 9, Buffer.of(1, 0x40, 0)),
        record(CONTENT.applicationData, 1, 1_000_000, randomBytes(60)),
        record(CONTENT.applicationData, 1, 1_000_001, randomBytes(3)),
        record(CONTENT.applicationData, 0, 6, Buffer.from('no secret')),
        record(CONTENT.changeCipherSpec, 0, 7, Buffer.of(1)),
        helloOf(hello, randomBytes(32)),
        randomBytes(80),
        datagram,
        datagram,
        former,
      ];
    };
    // The client would take what belongs to the injected hellos for answers to its own.
    between.down = (datagram) => (recordsOf(datagram).some(({ epoch }) => epoch === 1) ? [datagram] : []);
    const requests = await gateway.process.metric('tandem_coap_received_requests_total', { protocol: 'coaps' });
    const values = Array.from({ length: 200 }, (_, n) => n + 1);
    for (const value of values) expect(await device.post(TELEMETRY, saying('injected', value))).toBe('ACK 2.01');
    expect(await gateway.process.metric('tandem_coap_received_requests_total', { protocol: 'coaps' })).toBe(
      requests + values.length,
    );
    await exactly('injected', [0, ...values]);
  });

  it.each([
    ['AES128-GCM-SHA256', 24],
    ['AES128-CCM8:@SECLEVEL=0', 16],
    ['CHACHA20-POLY1305', 16],
  ])('records that are too short for %s do not end it', async (suite, overhead) => {
    const between = await proxy();
    const device = connect(between.port, '-cipher', `ECDHE-ECDSA-${suite}`);
    for (let length = 0; length <= overhead; length++) {
      expect(await device.post(TELEMETRY)).toBe('ACK 2.01');
      for (const content of [CONTENT.alert, CONTENT.handshake, CONTENT.applicationData]) {
        const short = record(content, 1, 1_000 + length, randomBytes(length));
        between.inject(short);
        between.inject(Buffer.concat([record(CONTENT.applicationData, 1, 2_000 + length, randomBytes(60)), short]));
      }
    }
    expect(await device.post(TELEMETRY)).toBe('ACK 2.01');
  });

  it('a datagram that is recorded does nothing later, in the same session, after it, or in the next one', async () => {
    const between = await proxy();
    const device = connect(between.port);
    expect(await device.post(TELEMETRY, saying('replayed', 1))).toBe('ACK 2.01');
    const recorded = between.seen.slice();
    for (const datagram of recorded) between.inject(datagram);
    expect(await device.post(TELEMETRY, saying('replayed', 2))).toBe('ACK 2.01');
    await device.close();
    for (const datagram of recorded) between.inject(datagram);
    const next = connect(between.port);
    expect(await next.post(TELEMETRY, saying('replayed', 3))).toBe('ACK 2.01');
    for (const datagram of recorded) between.inject(datagram);
    expect(await next.post(TELEMETRY, saying('replayed', 4))).toBe('ACK 2.01');
    await exactly('replayed', [1, 2, 3, 4]);
  });

  it('a datagram of it from another port is not read, and the session goes on at its own', async () => {
    const between = await proxy();
    const device = connect(between.port);
    expect(await device.post(TELEMETRY, saying('elsewhere', 1))).toBe('ACK 2.01');
    const held = new Promise<Buffer>((resolve) => {
      between.up = (datagram) => {
        resolve(datagram);
        return [];
      };
    });
    const answer = device.post(TELEMETRY, saying('elsewhere', 2));
    const datagram = await held;
    const elsewhere = await stranger();
    elsewhere.on('message', () => {
      throw new Error('a stranger is answered');
    });
    const dropped = await gateway.process.metric('tandem_dtls_dropped_total', { reason: 'no_session' });
    elsewhere.send(datagram, gateway.port, '127.0.0.1');
    await gateway.process.settled('tandem_dtls_dropped_total', dropped + 1, { reason: 'no_session' });
    between.inject(datagram);
    expect(await answer).toBe('ACK 2.01');
    await exactly('elsewhere', [1, 2]);
  });

  it('who has a cookie of the same address, and no more, does not end it', async () => {
    const between = await proxy();
    const hello = await recordedHello();
    const device = connect(between.port);
    expect(await device.post(TELEMETRY, saying('held', 1))).toBe('ACK 2.01');
    const cookie = new Promise<Buffer>((resolve) => {
      between.down = (answer) => {
        resolve(cookieIn(answer));
        return [];
      };
    });
    between.inject(hello);
    const begun = await gateway.process.metric('tandem_dtls_running_handshakes');
    between.inject(withCookie(hello, await cookie));
    await gateway.process.settled('tandem_dtls_running_handshakes', begun + 1);
    between.down = (datagram) => (recordsOf(datagram).some(({ epoch }) => epoch === 1) ? [datagram] : []);
    expect(await device.post(TELEMETRY, saying('held', 2))).toBe('ACK 2.01');
    await exactly('held', [1, 2]);
  });
});

describe('What is too weak', () => {
  it.each([
    ['DTLS 1.0', '-dtls1', 'DEFAULT:@SECLEVEL=0', 70],
    ['suites without encryption', '-dtls1_2', 'eNULL:@SECLEVEL=0', 40],
    ['suites without authentication', '-dtls1_2', 'aNULL:@SECLEVEL=0', 40],
    ['suites of CBC and SHA-1', '-dtls1_2', 'ECDHE-ECDSA-AES128-SHA', 40],
    ['suites without forward secrecy', '-dtls1_2', 'kRSA', 40],
  ])('is refused: %s', async (_, version, cipher, alert) => {
    const said = await run('openssl', 's_client', version, '-cipher', cipher, '-connect', `127.0.0.1:${gateway.port}`);
    expect(said).toContain(`SSL alert number ${alert}`);
  });

  it('is refused: suites for export, and none at all', async () => {
    const hello = await recordedHello();
    const socket = await stranger();
    for (const suites of [[0x0003, 0x0008, 0x0014], [0x0000]]) {
      const offer = offering(helloOf(hello, randomBytes(32)), suites);
      const [asked] = await Promise.all([once(socket, 'message'), socket.send(offer, gateway.port, '127.0.0.1')]);
      const [answer] = await Promise.all([
        once(socket, 'message'),
        socket.send(withCookie(offer, cookieIn(asked[0])), gateway.port, '127.0.0.1'),
      ]);
      const [first] = recordsOf(answer[0]);
      expect(first?.content).toBe(CONTENT.alert);
      expect([...(first?.bytes.subarray(RECORD_HEADER) ?? [])]).toEqual([2, 40]);
    }
  });
});
