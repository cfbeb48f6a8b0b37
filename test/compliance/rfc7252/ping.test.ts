import { statementsOf } from '../statement';
import { say } from './talk';

const { shows } = statementsOf('RFC 7252');

shows('4.3', 'MUST', 'an Empty Confirmable message (a ping) is answered by a Reset with its message id', async () => {
  const { kinds, packets, handled } = await say('40 00 1234');
  expect(kinds).toEqual(['RST 0.00']);
  expect(packets[0]?.messageId).toBe(0x1234);
  expect(handled).toEqual([]);
});
