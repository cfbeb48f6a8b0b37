import type { CoapResponse } from './response';
import { kind } from './testing/fake-client';
import { Harness } from './testing/harness';
import { observed } from './testing/observed';

/** A session at the address of a client of the fake network. */
const sessionAt = (client: { socket: { local: { address: string; port: number }; session: object | undefined } }) => {
  const session = { ...client.socket.local };
  client.socket.session = session;
  return session;
};

describe('A security session that is over (RFC 7252 section 9.1)', () => {
  it('takes its observations with it, also one whose notification is not acknowledged, and nobody else’s', async () => {
    const { harness, client, sources, register } = observed();
    const session = sessionAt(client);
    await register(true, 'aa');
    await register(true, 'bb');
    const other = harness.another();
    await register(true, 'aa', other);
    client.acknowledges = false;
    sources[0]?.notify('unacknowledged');
    await harness.clock.advance(10);
    expect([harness.metric('observations'), harness.metric('peers')]).toEqual([3, 2]);
    harness.server.endSession(session);
    expect(sources.map(({ ends }) => ends)).toEqual([['timeout'], ['timeout'], []]);
    expect([harness.metric('observations'), harness.metric('peers')]).toEqual([1, 1]);
    client.take();
    await harness.clock.advance(300_000);
    expect(client.received).toEqual([]);
    harness.server.endSession(session);
    expect(harness.metric('observations')).toBe(1);
  });

  it('that is ended from here first lets out what waits, once: every observation hears of its end', async () => {
    const { harness, client, sources, register } = observed();
    const session = sessionAt(client);
    for (const token of ['aa', 'bb', 'cc']) await register(true, token);
    client.acknowledges = false;
    client.take();
    for (const source of sources) source.relation?.end({ code: '2.02' });
    harness.server.closeSession(session);
    await harness.clock.advance(300_000);
    expect(client.received.map((message) => [kind(message), message.token.toString('hex')])).toEqual([
      ['CON 2.02', 'aa'],
      ['CON 2.02', 'bb'],
      ['CON 2.02', 'cc'],
    ]);
    expect(new Set(client.received.map(({ messageId }) => messageId)).size).toBe(3);
    expect([harness.metric('unacknowledged'), harness.metric('peers')]).toEqual([0, 0]);
  });

  it('is forgotten though a request of it is running, whose end changes nothing any more', async () => {
    let answer: (response: CoapResponse) => void = () => {};
    const harness = new Harness(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const session = sessionAt(harness.client);
    harness.client.request({ path: ['slow'] });
    await harness.clock.advance(10);
    expect(harness.metric('running_exchanges')).toBe(1);
    harness.server.endSession(session);
    expect(harness.metric('peers')).toBe(0);
    answer({ code: '2.05' });
    await harness.clock.advance(1_000);
    expect([harness.metric('running_exchanges'), harness.metric('peers'), harness.metric('unacknowledged')]).toEqual([
      0, 0, 0,
    ]);
  });

  it('does not end what another one at its address has', async () => {
    const { harness, client, sources, register } = observed();
    const former = sessionAt(client);
    await register(true, 'aa');
    sessionAt(client);
    await register(true, 'aa');
    harness.server.endSession(former);
    expect(sources.map(({ ends }) => ends)).toEqual([['timeout'], []]);
    client.take();
    sources[1]?.notify('still observed');
    await harness.clock.advance(10);
    expect(client.received.map(({ payload }) => payload.toString())).toEqual(['still observed']);
  });
});
