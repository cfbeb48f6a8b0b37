import { FakeRandom } from '../endpoint/testing/fake-random';
import { COOKIE_LIFETIME, Cookies } from './cookies';

describe('A cookie', () => {
  it('is good for its address and port, with this process, and for a minute at most', () => {
    let now = 0;
    const cookies = new Cookies(new FakeRandom(1), () => now);
    const cookie = cookies.of('10.0.0.1|1000');
    expect(cookies.isOf('10.0.0.1|1000', cookie)).toBe(true);
    expect(cookies.isOf('10.0.0.1|1001', cookie)).toBe(false);
    expect(cookies.isOf('10.0.0.2|1000', cookie)).toBe(false);
    expect(new Cookies(new FakeRandom(2), () => now).isOf('10.0.0.1|1000', cookie)).toBe(false);
    now = COOKIE_LIFETIME / 2;
    expect(cookies.isOf('10.0.0.1|1000', cookie)).toBe(true);
    now = COOKIE_LIFETIME;
    expect(cookies.isOf('10.0.0.1|1000', cookie)).toBe(false);
  });

  it('of another length is none', () => {
    const cookies = new Cookies(new FakeRandom(1), () => 0);
    for (const length of [0, 1, 31, 33, 255]) expect(cookies.isOf('10.0.0.1|1000', Buffer.alloc(length))).toBe(false);
  });
});
