import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { generate, type ParsedPacket, parse } from 'coap-packet';
import { CoapLoad } from './coap-load';
import { LoadRecorder } from './load-recorder';
import { udpChannel } from './peer-channel';

interface Seen extends ParsedPacket {
  readonly port: number;
}

interface Exchange {
  readonly request: Seen;
  /** How many requests and retransmissions came before, plus one. */
  readonly number: number;
  send(datagram: Buffer): void;
  respond(code: string): void;
}

const PEERS = 4;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) {
    close();
  }
});

/** Runs four peers with two outstanding requests until the server has seen `requests` requests, `runs` times. */
async function runAgainst(
  serve: (exchange: Exchange) => void,
  requests: number,
  { runs = 1, ackTimeoutMs = 2000 } = {},
): Promise<{ recorder: LoadRecorder; seen: Seen[]; acknowledged: number[] }> {
  const seen: Seen[] = [];
  const acknowledged: number[] = [];
  let enough: () => void = () => undefined;
  const server = createSocket('udp4');
  server.on('message', (datagram, peer: RemoteInfo) => {
    const packet = parse(datagram);
    if (packet.ack) {
      acknowledged.push(packet.messageId);
      return;
    }
    const request = { ...packet, port: peer.port };
    seen.push(request);
    if (seen.length % requests === 0) {
      enough();
    }
    const send = (reply: Buffer): void => server.send(reply, peer.port, peer.address);
    const { messageId, token } = packet;
    const respond = (code: string): void => send(generate({ ack: true, messageId, token, code }));
    serve({ request, number: seen.length, send, respond });
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');

  const recorder = new LoadRecorder();
  const load = new CoapLoad({
    open: udpChannel('127.0.0.1', server.address().port),
    peers: PEERS,
    window: 2,
    tokens: ['one', 'two'],
    body: '{"a":1}',
    ackTimeoutMs,
    recorder,
    now: () => performance.now() * 1000,
    random: () => 0.99999,
  });
  closing.push(
    () => server.close(),
    () => load.close(),
  );
  for (let run = 0; run < runs; run += 1) {
    const seenEnough = new Promise<void>((resolve) => {
      enough = resolve;
    });
    await load.start();
    await seenEnough;
    await load.stop();
  }
  return { recorder, seen, acknowledged };
}

describe('the CoAP load', () => {
  it('posts as every device from every peer and counts each answer once', async () => {
    const { recorder, seen } = await runAgainst(({ respond }) => respond('2.01'), 100);
    expect(new Set(seen.map(({ port }) => port)).size).toBe(PEERS);
    expect(new Set(seen.map(({ options }) => options[2]?.value.toString()))).toEqual(new Set(['one', 'two']));
    expect(new Set(seen.map(({ payload }) => payload.toString()))).toEqual(new Set(['{"a":1}']));
    expect(recorder.answered).toBe(seen.length);
    expect(recorder.failures).toEqual({});
    expect(recorder.retransmissions).toBe(0);
  });

  it('never repeats a message id or token of a peer, also in a second run and past the end of the numbers', async () => {
    const { recorder, seen } = await runAgainst(({ respond }) => respond('2.01'), 60, { runs: 2 });
    expect(new Set(seen.map(({ port }) => port)).size).toBe(PEERS);
    expect(new Set(seen.map(({ port, messageId }) => `${port} ${messageId}`)).size).toBe(seen.length);
    expect(new Set(seen.map(({ port, token }) => `${port} ${token.toString('hex')}`)).size).toBe(seen.length);
    expect(recorder.failures).toEqual({});
  });

  it('counts refusals by code and never as successes', async () => {
    const { recorder, seen } = await runAgainst(({ number, respond }) => respond(number === 3 ? '5.03' : '2.01'), 50);
    expect(recorder.failures).toEqual({ 'code 5.03': 1 });
    expect(recorder.answered).toBe(seen.length - 1);
  });

  it('sends a lost request again with the same id and token, and counts it', async () => {
    const { recorder, seen } = await runAgainst(
      ({ number, respond }) => {
        if (number !== 2) {
          respond('2.01');
        }
      },
      50,
      { ackTimeoutMs: 40 },
    );
    const lost = seen[1];
    const copies = seen.filter(({ port, messageId }) => port === lost?.port && messageId === lost.messageId);
    expect(copies).toHaveLength(2);
    expect(copies[0]?.token).toEqual(copies[1]?.token);
    expect(recorder.retransmissions).toBeGreaterThanOrEqual(1);
    expect(recorder.failures).toEqual({});
  });

  it('waits for a separate response and acknowledges it', async () => {
    const { recorder, acknowledged } = await runAgainst(({ request, number, send, respond }) => {
      if (number !== 2) {
        respond('2.01');
        return;
      }
      const { messageId, token } = request;
      send(Buffer.of(0x60, 0, messageId >> 8, messageId & 0xff));
      send(generate({ confirmable: true, messageId: 777, token, code: '2.01' }));
    }, 50);
    expect(acknowledged).toEqual([777]);
    expect(recorder.failures).toEqual({});
  });

  it('counts a reset', async () => {
    const { recorder } = await runAgainst(({ request, number, send, respond }) => {
      if (number === 2) {
        send(Buffer.of(0x70, 0, request.messageId >> 8, request.messageId & 0xff));
      } else {
        respond('2.01');
      }
    }, 50);
    expect(recorder.failures).toEqual({ RST: 1 });
  });

  it('gives a request up after four retransmissions and counts it', async () => {
    let unanswered: Seen | undefined;
    const { recorder, seen } = await runAgainst(
      ({ request, respond }) => {
        unanswered ??= request;
        if (request.port !== unanswered.port || request.messageId !== unanswered.messageId) {
          respond('2.01');
        }
      },
      50,
      { ackTimeoutMs: 8 },
    );
    const [first] = seen;
    expect(seen.filter(({ port, messageId }) => port === first?.port && messageId === first.messageId)).toHaveLength(5);
    expect(recorder.failures).toEqual({ 'no answer': 1 });
  });
});
