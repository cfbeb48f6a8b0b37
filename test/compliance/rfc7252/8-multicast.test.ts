import { statementsOf } from '../statement';
import { replies } from './talk';

const { shows, leaves } = statementsOf('RFC 7252');

leaves('8', 'MAY', 'a server joins multicast groups', 'no group is joined: devices know the address of their gateway');

leaves(
  '8.2',
  'SHOULD',
  'requests to a multicast address are answered after a random delay',
  'no multicast group is joined',
);

shows(
  '8.1',
  'MUST NOT',
  'no Non-confirmable message, which a multicast one would have to be, is ever answered by a Reset',
  async () => {
    const datagrams = [
      '50 00 1234',
      '51 45 1234 aa',
      '50 c1 1234',
      '50 01 1234 b561',
      '51 01 1234 aa b161 20',
      '5f 01 1234',
    ];
    expect(await replies(datagrams)).toEqual(datagrams.map(() => ''));
  },
);
