import { BadOption, readOptions, USAGE } from './options';

describe('the command line', () => {
  it('without arguments measures both protocols, three rounds of ten seconds and a soak, over CoAP a long one, unpinned', () => {
    expect(readOptions([])).toEqual({
      subject: 'doors',
      protocols: ['http', 'coap'],
      stores: ['embedded', 'redis'],
      reads: ['page', 'text', 'text-of-all', 'latest'],
      seconds: 10,
      warmup: 5,
      rounds: 3,
      soak: { http: 180, coap: 600 },
      devices: 64,
      connections: 64,
      peers: 512,
      window: 128,
      soakPeers: 2000,
      observations: 50_000,
      fanout: 10_000,
      sessions: 5_000,
      pin: false,
      flush: false,
      baselines: false,
      gateway: undefined,
    });
  });

  it('measures processes over a shared Redis on demand', () => {
    expect(readOptions(['redis', '--seconds', '2'])).toMatchObject({ subject: 'redis', seconds: 2 });
    expect(() => readOptions(['redis', 'http'])).toThrow(BadOption);
  });

  it('measures CoAP over DTLS on demand', () => {
    expect(readOptions(['dtls', '--sessions', '100'])).toMatchObject({ subject: 'dtls', sessions: 100 });
    expect(() => readOptions(['dtls', 'coap'])).toThrow(BadOption);
  });

  it('measures the server API on demand: both stores and all reads, or one, with many devices and fewer connections', () => {
    expect(readOptions(['server-api'])).toMatchObject({
      subject: 'server-api',
      stores: ['embedded', 'redis'],
      devices: 100_000,
      connections: 16,
    });
    const argv = ['server-api', '--store', 'redis', '--read', 'text', '--devices', '500'];
    expect(readOptions(argv)).toMatchObject({ stores: ['redis'], reads: ['text'], devices: 500 });
  });

  it('measures the reading of bodies on demand, in more and shorter rounds', () => {
    expect(readOptions(['payload'])).toMatchObject({ subject: 'payload', rounds: 20 });
    expect(readOptions(['payload', '--rounds', '5'])).toMatchObject({ rounds: 5 });
  });

  it('takes one protocol and the knobs', () => {
    const argv = ['coap', '--seconds', '2', '--soak=0', '--window', '256', '--pin', '--gateway', 'node x.js serve'];
    expect(readOptions(argv)).toMatchObject({
      protocols: ['coap'],
      seconds: 2,
      soak: { http: 0, coap: 0 },
      window: 256,
      pin: true,
      gateway: 'node x.js serve',
    });
  });

  it('takes another number of observers, or none', () => {
    const argv = ['coap', '--observations', '2000', '--fanout=0', '--soak-peers', '100'];
    expect(readOptions(argv)).toMatchObject({ observations: 2000, fanout: 0, soakPeers: 100 });
  });

  it('lets --no-pin win over --pin', () => {
    expect(readOptions(['--pin', '--no-pin']).pin).toBe(false);
  });

  it.each([
    [['mqtt'], "'mqtt' is neither"],
    [['http', 'coap'], "'http coap' is neither"],
    [['--seconds', '0'], '--seconds is a whole number from 1'],
    [['--seconds', '1.5'], "not '1.5'"],
    [['--rounds', 'many'], "not 'many'"],
    [['--soak', '2'], '--soak is 0 or at least 3'],
    [['--soak', 'long'], '--soak is a whole number from 0'],
    [['--fanout', '-1'], '--fanout'],
    [['server-api', '--store', 'disk'], '--store is one of embedded, redis'],
    [['server-api', '--read', 'all'], "not 'all'"],
    [['--secnds', '2'], '--secnds'],
  ])('refuses %j', (argv, words) => {
    expect(() => readOptions(argv)).toThrow(BadOption);
    expect(() => readOptions(argv)).toThrow(words);
  });

  it('names every numeric knob in the usage', () => {
    const load = ['seconds', 'warmup', 'rounds', 'devices', 'connections', 'peers', 'window'];
    for (const name of [...load, 'soak', 'soak-peers', 'observations', 'fanout']) {
      expect(USAGE).toContain(`--${name} <n>`);
    }
  });
});
