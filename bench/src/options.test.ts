import { BadOption, readOptions, USAGE } from './options';

describe('the command line', () => {
  it('without arguments measures both protocols, three rounds of ten seconds and a soak of three minutes, unpinned', () => {
    expect(readOptions([])).toEqual({
      protocols: ['http', 'coap'],
      redis: false,
      seconds: 10,
      warmup: 5,
      rounds: 3,
      soak: 180,
      devices: 64,
      connections: 64,
      peers: 512,
      window: 128,
      pin: false,
      flush: false,
      baselines: false,
      gateway: undefined,
    });
  });

  it('measures processes over a shared Redis on demand', () => {
    expect(readOptions(['redis', '--seconds', '2'])).toMatchObject({ redis: true, seconds: 2 });
    expect(() => readOptions(['redis', 'http'])).toThrow(BadOption);
  });

  it('takes one protocol and the knobs', () => {
    const argv = ['coap', '--seconds', '2', '--soak=0', '--window', '256', '--pin', '--gateway', 'node x.js serve'];
    expect(readOptions(argv)).toMatchObject({
      protocols: ['coap'],
      seconds: 2,
      soak: 0,
      window: 256,
      pin: true,
      gateway: 'node x.js serve',
    });
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
    [['--secnds', '2'], '--secnds'],
  ])('refuses %j', (argv, words) => {
    expect(() => readOptions(argv)).toThrow(BadOption);
    expect(() => readOptions(argv)).toThrow(words);
  });

  it('names every numeric knob in the usage', () => {
    for (const name of ['seconds', 'warmup', 'rounds', 'soak', 'devices', 'connections', 'peers', 'window']) {
      expect(USAGE).toContain(`--${name} <n>`);
    }
  });
});
