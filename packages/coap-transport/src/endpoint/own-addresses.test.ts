import { OwnAddresses } from './own-addresses';

describe('the addresses of a socket', () => {
  it('bound to one address is that one, also mapped into IPv6', () => {
    const own = new OwnAddresses('10.0.0.1', () => 0);
    expect(['10.0.0.1', '::ffff:10.0.0.1', '10.0.0.2', '127.0.0.1'].map((address) => own.has(address))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it.each(['0.0.0.0', '::'])('bound to %s are all of the machine, and the whole loopback net', (bound) => {
    const own = new OwnAddresses(
      bound,
      () => 0,
      () => ['10.0.0.1', 'fd00::1'],
    );
    const yes = ['10.0.0.1', 'fd00::1', '127.0.0.1', '127.8.9.10', '::1', '::ffff:10.0.0.1'];
    expect(yes.filter((address) => !own.has(address))).toEqual([]);
    expect(['10.0.0.2', 'fd00::2'].filter((address) => own.has(address))).toEqual([]);
  });

  it('are looked up again after a minute', () => {
    let now = 0;
    let list = ['10.0.0.1'];
    const own = new OwnAddresses(
      '0.0.0.0',
      () => now,
      () => list,
    );
    expect(own.has('10.0.0.9')).toBe(false);
    list = ['10.0.0.9'];
    expect(own.has('10.0.0.9')).toBe(false);
    now = 60_000;
    expect([own.has('10.0.0.9'), own.has('10.0.0.1')]).toEqual([true, false]);
  });
});
