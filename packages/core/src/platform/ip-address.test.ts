import { isInNetwork, isIpv4, parseIpAddress, parseIpNetwork } from './ip-address';

describe('An IP address', () => {
  it.each([
    ['1.2.3.4', 0xffff01020304n],
    ['::ffff:1.2.3.4', 0xffff01020304n],
    ['::', 0n],
    ['::1', 1n],
    ['fe80::1%eth0', (0xfe80n << 112n) | 1n],
    ['2001:db8::ff:0', (0x20010db8n << 96n) | 0xff0000n],
    ['1:2:3:4:5:6:7:8', 0x00010002000300040005000600070008n],
    ['1::', 1n << 112n],
  ])('is read out of %s', (text, address) => {
    expect(parseIpAddress(text)).toBe(address);
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '1:2',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    'g::',
    '12345::',
    ':1',
    'localhost',
    '1.2.3.4:80',
    '::1.2.3.4:5',
  ])('is not read out of %j', (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it('is one of IPv4 also when it came over an IPv6 socket', () => {
    expect(['1.2.3.4', '::ffff:1.2.3.4', '::1'].map((text) => isIpv4(parseIpAddress(text) ?? 0n))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['0.0.0.0/0', '9.9.9.9', true],
    ['0.0.0.0/0', '::1', false],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['::/0', '10.0.0.1', true],
  ])('of network %s: is %s? %s', (network, text, inside) => {
    const parsed = parseIpNetwork(network);
    const address = parseIpAddress(text);
    expect(parsed && address !== undefined && isInNetwork(address, parsed)).toBe(inside);
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/8/8', 'x/8', '10.0.0.0/-1'])('has no network %j', (text) => {
    expect(parseIpNetwork(text)).toBeUndefined();
  });
});
