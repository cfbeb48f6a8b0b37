import type { CoapResponse } from '../../../packages/coap-transport/src/endpoint';
import { PROVE_ADDRESS } from '../../../packages/coap-transport/src/endpoint';
import {
  type ClientRequest,
  type FakeClient,
  kind,
  optionBytes,
} from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { Harness } from '../../../packages/coap-transport/src/endpoint/testing/harness';
import { statementsOf } from '../statement';

const { shows, leaves } = statementsOf('RFC 9175');

const MINUTE = 60_000;
const LONG: CoapResponse = { code: '2.05', payload: 'x'.repeat(1_000) };
const ECHO = '252';

/** A server on which everything is for proved addresses, and the requests that were served. */
function demanding() {
  const served: string[] = [];
  const harness = new Harness(
    (request) => {
      if (!request.proved) return PROVE_ADDRESS;
      served.push(`${request.method} ${request.payload}`);
      return { code: '2.05', payload: 'served' };
    },
    { echo: true },
  );
  return { harness, served };
}

async function ask(harness: Harness, request: ClientRequest = {}, client: FakeClient = harness.client) {
  client.take();
  client.request(request);
  await harness.clock.advance(10);
  return client.last;
}

const withEcho = (value: Buffer, request: ClientRequest = {}): ClientRequest => ({
  ...request,
  options: [{ name: ECHO, value }],
});

async function valueFor(harness: Harness, client: FakeClient = harness.client): Promise<Buffer> {
  const value = optionBytes(await ask(harness, {}, client), ECHO);
  if (value === undefined) throw new Error('there is no Echo option');
  return value;
}

shows(
  '2.2.1',
  'describes',
  'an Echo value has 1 to 40 bytes; another length is ignored like an unknown option',
  async () => {
    const { harness, served } = demanding();
    const value = await valueFor(harness);
    expect(value).toHaveLength(12);
    for (const wrong of [Buffer.alloc(0), Buffer.alloc(41), Buffer.concat([value, Buffer.alloc(29)])]) {
      const answer = await ask(harness, withEcho(wrong));
      expect([kind(answer), optionBytes(answer, ECHO)]).toEqual(['ACK 4.01', value]);
    }
    expect(served).toEqual([]);
  },
);

shows('2.2.1', 'MUST', 'a value counts only when this server has made it', async () => {
  const { harness, served } = demanding();
  const value = await valueFor(harness);
  const changed = Buffer.from(value);
  changed[11] = (changed[11] ?? 0) ^ 1;
  for (const wrong of [changed, value.subarray(0, 11), Buffer.concat([value, Buffer.alloc(1)]), Buffer.alloc(12)]) {
    expect(kind(await ask(harness, withEcho(wrong)))).toBe('ACK 4.01');
  }
  expect(served).toEqual([]);
});

shows('2.2.1', 'MUST', 'a value counts for two to four minutes', async () => {
  for (const [after, code] of [
    [2 * MINUTE - 100, 'ACK 2.05'],
    [4 * MINUTE, 'ACK 4.01'],
    [400 * MINUTE, 'ACK 4.01'],
  ] as const) {
    const { harness } = demanding();
    await harness.clock.advance(MINUTE);
    const value = await valueFor(harness);
    await harness.clock.advance(after);
    expect(kind(await ask(harness, withEcho(value)))).toBe(code);
  }
});

shows('2.3', 'MUST NOT', 'a request whose sender has to prove its address is not processed before it has', async () => {
  const { harness, served } = demanding();
  await ask(harness, { code: 'POST', payload: 'p' });
  await ask(harness, { observe: 0 });
  expect(served).toEqual([]);
  expect(harness.metric('observations')).toBe(0);
});

shows('2.3', 'SHOULD', 'it is answered 4.01 with an Echo option, and nothing else', async () => {
  const { harness } = demanding();
  const answer = await ask(harness);
  expect(kind(answer)).toBe('ACK 4.01');
  expect(answer.options.map(({ name }) => name)).toEqual([ECHO]);
  expect(answer.payload).toHaveLength(0);
  expect(kind(await ask(harness, { confirmable: false }))).toBe('NON 4.01');
});

shows('2.3', 'MAY', 'the same value is given again while it is new', async () => {
  const { harness } = demanding();
  const [first, second] = [await valueFor(harness), await valueFor(harness)];
  expect(second).toEqual(first);
});

shows('2.3', 'MUST', 'a request with a fresh value is served at once', async () => {
  const { harness, served } = demanding();
  const value = await valueFor(harness);
  const answer = await ask(harness, withEcho(value, { code: 'POST', payload: 'p' }));
  expect([kind(answer), answer.payload.toString(), optionBytes(answer, ECHO)]).toEqual([
    'ACK 2.05',
    'served',
    undefined,
  ]);
  expect(served).toEqual(['POST p']);
});

shows('2.3', 'SHOULD', 'the answer to a value that is no longer fresh has a new one', async () => {
  const { harness, served } = demanding();
  const stale = await valueFor(harness);
  await harness.clock.advance(5 * MINUTE);
  const fresh = optionBytes(await ask(harness, withEcho(stale)), ECHO);
  expect(fresh).not.toEqual(stale);
  expect(kind(await ask(harness, withEcho(fresh ?? stale)))).toBe('ACK 2.05');
  expect(served).toEqual(['GET ']);
});

shows('2.3', 'MAY', 'an Echo option is ignored in a request that needs none', async () => {
  const harness = new Harness(() => ({ code: '2.05' }), { echo: true });
  expect(kind(await ask(harness, withEcho(Buffer.from('whatever'))))).toBe('ACK 2.05');
  const off = new Harness((request) => ({ code: request.proved ? '2.05' : '5.00' }));
  expect(kind(await ask(off, withEcho(Buffer.from('whatever'))))).toBe('ACK 2.05');
});

shows('2.3', 'SHOULD', 'a value holds the address and port it was made for, and proves no other', async () => {
  const { harness, served } = demanding();
  const value = await valueFor(harness);
  for (const [address, port] of [
    ['10.0.0.1', 40_001],
    ['10.0.0.2', 40_000],
  ] as const) {
    const answer = await ask(harness, withEcho(value), harness.another(address, port));
    expect(kind(answer)).toBe('ACK 4.01');
    expect(optionBytes(answer, ECHO)).not.toEqual(value);
  }
  expect(served).toEqual([]);
});

shows(
  '2.4',
  'SHOULD',
  'an answer of more than three times its request goes only to an address that is proved',
  async () => {
    const harness = new Harness(() => LONG, { echo: true });
    const answer = await ask(harness);
    expect(kind(answer)).toBe('ACK 4.01');
    const value = optionBytes(answer, ECHO) ?? Buffer.alloc(0);
    expect((await ask(harness, withEcho(value))).payload).toHaveLength(1_000);
  },
);

shows('2.4', 'describes', 'an answer of three times its request, all messages together, needs no proof', async () => {
  // 4 bytes, a token of 1 and a path of 2 come in; 4, the token, the marker and the payload go out.
  for (const [length, code] of [
    [15, 'ACK 2.05'],
    [16, 'ACK 4.01'],
  ] as const) {
    const harness = new Harness(() => ({ code: '2.05', payload: 'x'.repeat(length) }), { echo: true });
    expect(kind(await ask(harness))).toBe(code);
  }
});

shows('2.4', 'describes', 'an address has to be proved once, and again after an hour', async () => {
  const harness = new Harness(() => LONG, { echo: true });
  await ask(harness, withEcho(await valueFor(harness)));
  for (let i = 0; i < 5; i++) {
    expect(kind(await ask(harness))).toBe('ACK 2.05');
    await harness.clock.advance(11 * MINUTE);
  }
  await harness.clock.advance(6 * MINUTE);
  expect(kind(await ask(harness))).toBe('ACK 4.01');
});

shows(
  '2.4',
  'MUST',
  'a challenge is piggybacked or Non-confirmable, never a separate Confirmable message',
  async () => {
    let answer = (_response: CoapResponse) => {};
    const harness = new Harness(
      () =>
        new Promise<CoapResponse>((resolve) => {
          answer = resolve;
        }),
      { echo: true },
    );
    for (const response of [PROVE_ADDRESS, LONG]) {
      harness.client.take();
      harness.client.request({ path: ['api', 'v1'] });
      await harness.clock.advance(1_000);
      answer(response);
      await harness.clock.advance(100_000);
      expect(harness.client.received.map(kind)).toEqual(['ACK 0.00', 'NON 4.01']);
      expect(optionBytes(harness.client.last, ECHO)).toHaveLength(12);
    }
  },
);

leaves(
  '2.2.1',
  'MUST',
  'an OSCORE server makes Inner Echo options only, but for tests of reachability',
  'there is no OSCORE',
);

leaves(
  '2.3',
  'MUST',
  'a value that serves the freshness of requests is integrity protected on its way',
  'it serves reachability alone',
);

leaves('2.3', 'MUST', 'a proxy takes its own Echo options out of the requests it forwards', 'this is no proxy');
