import { isNobody, SourceTable } from './sources';

const table = (settings: Partial<ConstructorParameters<typeof SourceTable>[0]> = {}) =>
  new SourceTable({ sourceReplies: 2, sourceDatagrams: 0, maxSources: 100, ...settings });

/** How many answers in a row an address gets. */
function answers(sources: SourceTable, address: string, now: number): number {
  let count = 0;
  while (count < 1_000 && sources.mayReply(address, now)) count++;
  return count;
}

describe('the limits of a source address', () => {
  it('ten seconds of the rate are answered at once, then as many in a second as are allowed', () => {
    const sources = table();
    expect(answers(sources, '192.0.2.1', 0)).toBe(20);
    expect(answers(sources, '192.0.2.1', 499)).toBe(0);
    expect(answers(sources, '192.0.2.1', 1_000)).toBe(2);
    expect(answers(sources, '192.0.2.1', 3_600_000)).toBe(20);
  });

  it('one address does not use up what another has', () => {
    const sources = table();
    answers(sources, '192.0.2.1', 0);
    expect(answers(sources, '192.0.2.2', 0)).toBe(20);
  });

  it('datagrams and answers are counted apart', () => {
    const sources = table({ sourceDatagrams: 1 });
    answers(sources, '192.0.2.1', 0);
    for (let i = 0; i < 10; i++) expect(sources.accepts('192.0.2.1', 0)).toBe(true);
    expect(sources.accepts('192.0.2.1', 0)).toBe(false);
  });

  it('0 is no limit, and nothing is remembered for it', () => {
    const sources = table({ sourceReplies: 0 });
    expect(answers(sources, '192.0.2.1', 0)).toBe(1_000);
    expect(sources.accepts('192.0.2.1', 0)).toBe(true);
    expect(sources.size).toBe(0);
  });

  it.each([
    ['an IPv6 address and its neighbour', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::1'],
    ['an abbreviated prefix', '2001:db8::1', '2001:db8:0:0:5:6:7:8'],
    ['an abbreviated end', '2001:db8:1:2:3::', '2001:db8:1:2::'],
    ['an abbreviated start', '::2:3:4:5:6:7:8', '0:2:3:4::1'],
    ['a link-local address and its zone', 'fe80::1%eth0', 'fe80::2%eth1'],
    ['an IPv4 address and the same one on a socket of both families', '192.0.2.1', '::ffff:192.0.2.1'],
  ])('%s are one source', (_what, one, other) => {
    const sources = table();
    answers(sources, one, 0);
    expect(answers(sources, other, 0)).toBe(0);
    expect(sources.size).toBe(1);
  });

  it.each([
    ['two IPv4 addresses on a socket of both families', '::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    ['two /64', '2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['an abbreviated start', '::2:3:4:5:6:7:8', '0:2:3:5::1'],
  ])('%s are two sources', (_what, one, other) => {
    const sources = table();
    answers(sources, one, 0);
    expect(answers(sources, other, 0)).toBe(20);
  });

  it('no more addresses are remembered than allowed, however many there are', () => {
    const sources = table({ sourceDatagrams: 2 });
    for (let i = 0; i < 10_000; i++) {
      sources.mayReply(`10.0.${i >> 8}.${i & 255}`, i);
      sources.accepts(`10.0.${i >> 8}.${i & 255}`, i);
      expect(sources.size).toBeLessThanOrEqual(100);
    }
  });

  it('an address that keeps coming is not forgotten for those that come once', () => {
    const sources = table();
    answers(sources, '192.0.2.1', 0);
    for (let i = 0; i < 10_000; i++) {
      sources.mayReply(`10.0.${i >> 8}.${i & 255}`, 0);
      if (i % 10 === 0) expect(sources.mayReply('192.0.2.1', 0)).toBe(false);
    }
  });

  it('one that has been away starts afresh', () => {
    const sources = table();
    answers(sources, '192.0.2.1', 0);
    for (let i = 0; i < 200; i++) sources.mayReply(`10.0.0.${i}`, 0);
    expect(answers(sources, '192.0.2.1', 0)).toBe(20);
  });
});

describe('addresses that nobody sends from', () => {
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '224.0.1.187',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::ffff:224.0.1.187',
    '::ffff:255.255.255.255',
    '::',
    'ff02::fd',
    'ff05::fd%eth0',
  ])('%s', (address) => expect(isNobody(address)).toBe(true));

  it.each([
    '10.0.0.1',
    '22.4.0.1',
    '127.0.0.1',
    '192.168.255.255',
    '223.255.255.255',
    '::1',
    '::ffff:10.224.0.1',
    '2001:db8::ff',
    'fe80::1%eth0',
    'ff::1',
  ])('but from %s', (address) => expect(isNobody(address)).toBe(false));
});
