import { FakeClock } from '../testing/fake-clock';
import { Callers, callerAddress } from './caller-address';
import { type IpNetwork, parseIpNetwork } from './ip-address';
import type { LogFields } from './logger';
import { silentLogger } from './logger';

const TRUSTED = ['10.0.0.0/8', 'fd00::/8'].flatMap((text): IpNetwork[] => {
  const network = parseIpNetwork(text);
  return network ? [network] : [];
});

describe('Whom a request comes from', () => {
  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]', '20010db800000000::/64'],
    ['[2001:db8::1]:5678', '20010db800000000::/64'],
    ['2001:db8::1', '20010db800000000::/64'],
    ['[::ffff:1.2.3.4]:80', '1.2.3.4'],
    ['9.9.9.9, 1.2.3.4:5678', '1.2.3.4'],
    ['1.2.3.4, 10.0.0.2:80', '1.2.3.4'],
  ])('is read out of X-Forwarded-For: %s', (forwardedFor, address) => {
    expect(callerAddress({ remoteAddress: '10.0.0.1', forwardedFor }, TRUSTED)).toBe(address);
  });

  it.each(['unknown', '1.2.3.4:', '1.2.3.4:x', '[1.2.3.4', '[]', '1.2.3:80', 'for=1.2.3.4'])(
    'is the proxy itself where that says %j, which the log says once',
    (forwardedFor) => {
      const lines: LogFields[] = [];
      const logger = { ...silentLogger, warn: (_message: string, fields: LogFields = {}) => void lines.push(fields) };
      const callers = new Callers(TRUSTED, new FakeClock(), logger);
      for (let n = 0; n < 3; n++)
        expect(callers.addressOf({ remoteAddress: '10.0.0.1', forwardedFor })).toBe('10.0.0.1');
      expect(lines).toEqual([{ proxy: '10.0.0.1', forwardedFor }]);
    },
  );

  it('is who is connected where he is no proxy, and nothing is said of what he sends', () => {
    const logger = {
      ...silentLogger,
      warn: () => {
        throw new Error('said');
      },
    };
    const callers = new Callers(TRUSTED, new FakeClock(), logger);
    expect(callers.addressOf({ remoteAddress: '9.9.9.9', forwardedFor: 'unknown' })).toBe('9.9.9.9');
    expect(callers.addressOf({ remoteAddress: '10.0.0.1', forwardedFor: '' })).toBe('10.0.0.1');
  });
});
