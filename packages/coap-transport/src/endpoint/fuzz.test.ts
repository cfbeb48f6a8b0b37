import { generate } from 'coap-packet';
import { FakeRandom } from './testing/fake-random';
import { FakeSource } from './testing/fake-source';
import { Harness } from './testing/harness';

const ROUNDS = 20_000;

/** Sound messages of every kind, to be spoiled. */
function seeds(random: FakeRandom): Buffer[] {
  const messages: Buffer[] = [];
  for (const code of ['GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH', '0.00', '2.05', '4.04', '5.03']) {
    for (const confirmable of [true, false]) {
      const empty = code === '0.00';
      messages.push(
        generate({
          code,
          confirmable,
          messageId: random.integer(0x10000),
          token: empty ? Buffer.alloc(0) : random.bytes(random.integer(9)),
          options: empty
            ? []
            : [
                { name: 'Observe', value: Buffer.alloc(random.integer(3)) },
                { name: 'Uri-Path', value: Buffer.from('api') },
                { name: 'Uri-Path', value: Buffer.from('telemetry') },
                { name: 'Uri-Query', value: Buffer.from('clientKeys=a') },
                { name: 'Block1', value: random.bytes(random.integer(4)) },
                { name: 'Block2', value: random.bytes(random.integer(4)) },
              ],
          payload: empty ? Buffer.alloc(0) : random.bytes(random.integer(100)),
        }),
      );
    }
  }
  return messages;
}

function spoil(message: Buffer, random: FakeRandom): Buffer {
  let bytes = Buffer.from(message);
  for (let changes = 1 + random.integer(4); changes > 0; changes--) {
    const at = random.integer(bytes.length + 1);
    switch (random.integer(4)) {
      case 0:
        if (at < bytes.length) bytes[at] = random.integer(256);
        break;
      case 1:
        bytes = bytes.subarray(0, at);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.integer(8)), bytes.subarray(at)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(4))]);
    }
  }
  return bytes;
}

describe('an endpoint fed with garbage', () => {
  it(`takes ${ROUNDS} random and spoiled datagrams without an exception, and answers each with at most 3 times its bytes`, async () => {
    const random = new FakeRandom(20_260);
    const sources: FakeSource[] = [];
    const harness = new Harness((request) => {
      // What a device API does with a stranger; one in a while gets in.
      if (request.observe !== 0 || random.fraction() < 0.9) return { code: '4.01' };
      const observation = new FakeSource();
      sources.push(observation);
      return { code: '2.05', observation };
    });
    const originals = seeds(random);
    let sent = 0;
    let answered = 0;
    let worst = 0;
    const server = harness.endpoint.local;
    const mouths = Array.from({ length: 50 }, (_, i) => harness.network.bind('10.9.0.1', 2000 + i));
    let reply = 0;
    for (const mouth of mouths) {
      mouth.receive((datagram) => {
        reply += datagram.length;
      });
    }
    for (let round = 0; round < ROUNDS; round++) {
      const original = originals[random.integer(originals.length)] ?? Buffer.alloc(0);
      const datagram = random.fraction() < 0.3 ? random.bytes(random.integer(60)) : spoil(original, random);
      reply = 0;
      mouths[round % 50]?.send(datagram, { ...server, session: undefined });
      await harness.clock.advance(2);
      sent += datagram.length;
      answered += reply;
      if (reply > 0) worst = Math.max(worst, reply / datagram.length);
    }
    expect(harness.log).toEqual([]);
    expect(harness.metric('datagrams_total')).toBe(ROUNDS);
    expect(harness.metric('requests_total')).toBeGreaterThan(1_000);
    expect(worst).toBeLessThanOrEqual(3);
    expect(answered).toBeLessThan(sent / 2);
    await harness.clock.advance(400_000);
    expect([harness.metric('running_exchanges'), harness.metric('upload_bytes')]).toEqual([0, 0]);
    await harness.endpoint.close({ graceful: false });
    expect(sources.every((source) => source.ends.length === 1)).toBe(true);
  });
});
