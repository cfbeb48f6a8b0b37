import { keyPrefix, redisUrl } from './redis-address';

const parse = (value: string) => redisUrl('doc', { secret: true }).parse(value);

describe('REDIS_URL', () => {
  it('may be unset', () => {
    expect(parse('')).toBeUndefined();
  });

  it('takes host, port, database, user and password, with or without TLS', () => {
    expect(parse('redis://h')).toEqual({
      nodes: [{ host: 'h', port: 6379 }],
      tls: false,
      username: undefined,
      password: undefined,
      database: 0,
    });
    expect(parse('rediss://me:s%40cret@h:7000/3')).toEqual({
      nodes: [{ host: 'h', port: 7000 }],
      tls: true,
      username: 'me',
      password: 's@cret',
      database: 3,
    });
    expect(parse('redis://[::1]:7000')?.nodes).toEqual([{ host: '::1', port: 7000 }]);
  });

  it('takes the nodes of a Cluster, the later ones also bare, with the credentials of the first', () => {
    expect(parse('redis://:pw@a:1, redis://b:2,c:3')).toMatchObject({
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 3 },
      ],
      password: 'pw',
    });
  });

  it.each([
    'localhost:6379',
    'http://h',
    'redis://',
    'redis://h/x',
    'redis://a,rediss://b',
    'redis://a,',
    'redis://h:99999',
    'redis://h:0',
    'redis://h?db=5',
    'redis://me:4711#secret@h',
    'redis://a/0,b/5',
    'redis://a,redis://:pw@b',
  ])('refuses %s', (value) => {
    expect(() => parse(value)).toThrow(/^must /);
  });
});

describe('A password in REDIS_URL', () => {
  it('that is not escaped is refused with what to write, and never repeated', () => {
    expect(() => parse('redis://me:4711#secret@h')).toThrow('must not have ? or #; in a password write %3F and %23');
    expect(() => parse('redis://me:SECRET%zz@h')).toThrow(
      'has a % that escapes nothing; in a user or password write %25',
    );
  });
});

describe('TANDEM_REDIS_PREFIX', () => {
  const { parse: parsePrefix } = keyPrefix('tandem', 'doc');

  it.each(['', '{x}', 'a:b', 'a b', 'x'.repeat(65)])('refuses "%s"', (value) => {
    expect(() => parsePrefix(value)).toThrow(/^must be/);
  });

  it('takes a name', () => {
    expect(parsePrefix('site-1_a.b')).toBe('site-1_a.b');
  });
});
