import { statementsOf } from '../statement';
import { Harness, hex, kind, replies, say, slow } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

shows('4.3', 'MUST NOT', 'a Non-confirmable request is never acknowledged, however long its answer takes', async () => {
  const harness = slow(3_000);
  harness.client.request({ confirmable: false });
  await harness.clock.advance(200_000);
  expect(harness.client.received.map(kind)).toEqual(['NON 2.05']);
});

shows('4.3', 'MUST NOT', 'no Non-confirmable message of ours is Empty', async () => {
  const { kinds } = await say('51 02 1234 aa b161', { code: '2.04' });
  expect(kinds).toEqual(['NON 2.04']);
});

shows('4.3', 'MUST', 'an Empty Non-confirmable message is rejected', async () => {
  const { kinds, handled } = await say('50 00 1234');
  expect([kinds, handled]).toEqual([[], []]);
});

shows('4.3', 'MUST', 'a Non-confirmable message with a reserved code class is rejected', async () => {
  expect(await replies(['50 21 1234', '50 61 1234', '50 c1 1234', '50 e1 1234'])).toEqual(Array(4).fill(''));
});

shows('4.3', 'MUST', 'a Non-confirmable message with a format error is rejected and does nothing', async () => {
  for (const rest of ['b561', 'f161', 'bf61', 'b161 ff', 'be00']) {
    const { kinds, handled } = await say(`50 02 1234 ${rest}`);
    expect([kinds, handled]).toEqual([[], []]);
  }
});

shows('4.3', 'MUST', 'a Non-confirmable response nobody asked for is rejected', async () => {
  expect(await replies(['51 45 1234 aa ff 61', '50 84 1234'])).toEqual(['', '']);
});

leaves(
  '4.3',
  'MAY',
  'a Non-confirmable message is rejected by a Reset',
  'they are rejected in silence: a Reset would be one more answer to a forged address',
);

shows(
  '4.3',
  'describes',
  'the message ids of Non-confirmable and Confirmable messages of ours come from one row',
  async () => {
    const harness = slow(1_000);
    for (let i = 0; i < 6; i++) {
      harness.client.request({ confirmable: i % 2 === 0, token: Buffer.from([i]) });
      await harness.clock.advance(2_000);
    }
    const ids = harness.client.received.filter(({ ack }) => !ack).map(({ messageId }) => messageId);
    expect(ids).toEqual(ids.map((_, i) => ((ids[0] ?? 0) + i) & 0xffff));
    expect(ids).toHaveLength(6);
  },
);

shows('4.3', 'MAY', 'a Non-confirmable response is sent once', async () => {
  const harness = new Harness(() => ({ code: '2.05' }));
  harness.client.send(hex('51 01 1234 aa b161'));
  await harness.clock.advance(300_000);
  expect(harness.client.received).toHaveLength(1);
});
