import { Deduplication } from './deduplication';
import { PeerState } from './peer';
import { kind } from './testing/fake-client';
import { FakeRandom } from './testing/fake-random';
import { Harness } from './testing/harness';
import { transmissionTimes } from './transmission-times';

const TIMES = transmissionTimes({ ackTimeout: 2_000, ackRandomFactor: 1.5, maxRetransmit: 4 });
const peer = (port: number, address = '10.1.2.3') => new PeerState(`${address}:${port}`, address, port, undefined, 5);

describe('deduplication over the wire (RFC 7252 section 4.5)', () => {
  it('TV-275: the same CON message id sent twice is handled once and answered twice alike', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `answer ${++calls}`, contentFormat: 0 }));
    const datagram = harness.client.request({});
    await harness.clock.advance(10);
    await harness.clock.advance(240_000);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(calls).toBe(1);
    expect(harness.client.raw).toHaveLength(2);
    expect(harness.client.raw[1]).toEqual(harness.client.raw[0]);
  });

  it('a device that has begun its message ids anew is heard: other content, or another type, is another message', async () => {
    const payloads: string[] = [];
    const harness = new Harness(({ payload }) => {
      payloads.push(payload.toString());
      return { code: '2.01' };
    });
    const post = (payload: string, confirmable: boolean) => {
      const token = Buffer.alloc(0);
      harness.client.request({ code: 'POST', messageId: 1, token, payload, confirmable });
      return harness.clock.advance(10);
    };
    await post('one', true);
    await post('one', true);
    await post('two', true);
    await post('two', false);
    await post('two', false);
    expect(payloads).toEqual(['one', 'two', 'two']);
    expect(harness.client.received.map(kind)).toEqual(['ACK 2.01', 'ACK 2.01', 'ACK 2.01', 'NON 2.01']);
  });

  it('after EXCHANGE_LIFETIME (247 s) the message id is free again', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `answer ${++calls}` }));
    const datagram = harness.client.request({});
    await harness.clock.advance(250_000);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(calls).toBe(2);
  });

  it('each message id has its own time: a later message does not prolong an earlier one', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
    const first = harness.client.request({});
    await harness.clock.advance(200_000);
    const second = harness.client.request({});
    await harness.clock.advance(60_000);
    harness.client.send(first);
    harness.client.send(second);
    await harness.clock.advance(10);
    expect(harness.client.received.map((packet) => packet.payload.toString())).toEqual(['1', '2', '3', '2']);
  });

  it('a duplicate NON is ignored in silence for 145 s', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
    const datagram = harness.client.request({ confirmable: false });
    await harness.clock.advance(140_000);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect([calls, harness.client.received.length]).toEqual([1, 1]);
    await harness.clock.advance(10_000);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    expect(calls).toBe(2);
  });

  it('a duplicate of a request that is still running is absorbed', async () => {
    let calls = 0;
    let finish = () => {};
    const harness = new Harness(() => {
      calls++;
      return new Promise((resolve) => {
        finish = () => resolve({ code: '2.04' });
      });
    });
    const datagram = harness.client.request({});
    await harness.clock.advance(100);
    harness.client.send(datagram);
    await harness.clock.advance(100);
    expect(harness.client.received).toEqual([]);
    finish();
    await harness.clock.advance(10);
    expect([calls, harness.client.received.map(kind)]).toEqual([1, ['ACK 2.04']]);
  });

  it('a duplicate after the empty Acknowledgement gets it again, also after the separate response', async () => {
    let calls = 0;
    let finish = () => {};
    const harness = new Harness(() => {
      calls++;
      return new Promise((resolve) => {
        finish = () => resolve({ code: '2.04' });
      });
    });
    const datagram = harness.client.request({});
    await harness.clock.advance(1_000);
    harness.client.send(datagram);
    await harness.clock.advance(10);
    finish();
    await harness.clock.advance(10);
    harness.client.send(datagram);
    await harness.clock.advance(10_000);
    expect(calls).toBe(1);
    expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'ACK 0.00', 'CON 2.04', 'ACK 0.00']);
  });

  it('the same message id with another token is a new request: the device has restarted', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
    harness.client.request({ messageId: 12, token: Buffer.from('3456', 'hex') });
    harness.client.request({ messageId: 12, token: Buffer.from('56', 'hex') });
    harness.client.request({ messageId: 1234, token: Buffer.from('56', 'hex') });
    await harness.clock.advance(10);
    expect(harness.client.received.map((packet) => packet.payload.toString())).toEqual(['1', '2', '3']);
  });

  it('two peers with the same message id and token do not meet', async () => {
    let calls = 0;
    const harness = new Harness(() => ({ code: '2.05', payload: `${++calls}` }));
    harness.client.request({ messageId: 12 });
    harness.another('10.0.0.1', 40_001).request({ messageId: 12 });
    harness.another('10.0.0.2', 40_000).request({ messageId: 12 });
    await harness.clock.advance(10);
    expect(calls).toBe(3);
  });
});

describe('the deduplication window', () => {
  const answer = Buffer.from('6041123401', 'hex');

  it('starts small, grows to its budget and no further, and then forgets the oldest first', () => {
    const window = new Deduplication(2 << 20, TIMES);
    const peers = Array.from({ length: 50 }, (_, i) => peer(i + 1));
    let count = 0;
    const remember = (n: number) => {
      for (let i = 0; i < n; i++, count++) {
        const who = peers[count % 50];
        if (who !== undefined) window.remember(who, (count / 50) & 0xffff, 9, answer, count / 40);
      }
    };
    remember(1);
    expect(window.bytes).toBeLessThanOrEqual(1 << 20);
    remember(199_999);
    expect(window.bytes).toBe(2 << 20);
    const found = (n: number) => {
      const who = peers[n % 50];
      return who !== undefined && window.find(who, (n / 50) & 0xffff, 9, count / 40);
    };
    expect(found(0)).toBe(false);
    let oldest = 0;
    while (!found(oldest)) oldest++;
    expect(count - oldest).toBeGreaterThan(20_000);
    let lost = 0;
    for (let n = oldest; n < count; n++) if (!found(n)) lost++;
    expect(lost).toBe(0);
  });

  it('gives the answer that belongs to each of thousands of messages', () => {
    const window = new Deduplication(16 << 20, TIMES);
    const random = new FakeRandom(5);
    const sent = Array.from({ length: 20_000 }, (_, i) => ({
      peer: peer(random.integer(60_000) + 1, i % 2 === 0 ? '192.168.100.200' : 'fe80::1:2:3:4'),
      id: random.integer(0x10000),
      token: random.integer(1 << 30),
      answer: random.bytes(4 + random.integer(300)),
    }));
    for (const { peer: who, id, token, answer: bytes } of sent) window.remember(who, id, token, bytes, 1_000);
    let right = 0;
    let wrong = 0;
    for (const { peer: who, id, token, answer: bytes } of sent) {
      if (window.find(who, id, token, 2_000) && window.response()?.equals(bytes)) right++;
      if (window.find(who, id, token + 1, 2_000)) wrong++;
    }
    expect([right, wrong]).toEqual([20_000, 0]);
  });

  it('takes no more memory for traffic that never stops, and gives some back after a burst', () => {
    const window = new Deduplication(8 << 20, TIMES);
    const who = peer(1);
    for (let n = 0; n < 400_000; n++) window.remember(who, n & 0xffff, n, answer, n / 1000);
    expect(window.bytes).toBeLessThanOrEqual(8 << 20);
    const burst = window.bytes;
    for (let n = 0; n < 60_000; n++) window.remember(who, n & 0xffff, n, answer, 1_000_000 + n * 100);
    expect(window.bytes).toBeLessThan(burst);
  });
});
