import { FakeClock } from '@tandem/core/testing';
import { type Answer, type DeviceLink, NoAnswer, type Watched } from './device-link';
import { parseDuration } from './duration';
import { Journal } from './journal';
import { type Plan, SimulatedDevice } from './simulated-device';
import { parseTemplate } from './telemetry-template';

const answer = (code: string, retryAfter?: number, body = ''): Answer => ({
  code,
  retryAfter,
  body: Buffer.from(body),
});

/** A gateway that answers telemetry as it is told to. */
class ToldLink implements DeviceLink {
  readonly posted: string[] = [];
  readonly watched: Watched[] = [];
  heard: ((body: string) => void | Promise<void>) | undefined;

  constructor(private readonly answers: (Answer | NoAnswer)[]) {}

  async post(path: readonly string[], body: string): Promise<Answer> {
    this.posted.push(`${path.join('/')} ${body}`);
    const next = this.answers.shift() ?? answer('200');
    if (next instanceof NoAnswer) throw next;
    return next;
  }

  async download(): Promise<Answer> {
    return answer('404');
  }

  watch(what: Watched, heard: (body: string) => void | Promise<void>, signal: AbortSignal): Promise<void> {
    this.watched.push(what);
    if (what === 'rpc') this.heard = heard;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    });
  }

  close(): void {}
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function started(answers: (Answer | NoAnswer)[], plan: Partial<Plan> = {}) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const journal = new Journal(clock, false, (line) => void lines.push(line.slice(13)));
  const link = new ToldLink(answers);
  const random = { uuid: () => '', alphanumeric: () => '', bytes: (n: number) => Buffer.alloc(n), fraction: () => 0.5 };
  const whole: Plan = {
    telemetry: ({ count }) => `{"n":${count}}`,
    interval: 1_000,
    messages: undefined,
    listen: false,
    answer: undefined,
    firmware: false,
    ...plan,
  };
  const stop = new AbortController();
  const device = new SimulatedDevice('device-1', 1, link, whole, { clock, random, journal }, stop.signal);
  const ended = device.run(0);
  const pass = async (millis: number) => {
    await turn();
    clock.advance(millis);
    await turn();
  };
  return { link, lines, journal, ended, stop, pass };
}

describe('A simulated device', () => {
  it('sends a message each interval, and stops after the last', async () => {
    const { link, lines, ended, pass } = started([], { messages: 3 });
    await pass(0);
    expect(link.posted).toEqual(['telemetry {"n":0}']);
    await pass(999);
    expect(link.posted).toHaveLength(1);
    await pass(1);
    await pass(1_000);
    await ended;
    expect(lines).toEqual(['{"n":0}', '{"n":1}', '{"n":2}'].map((body) => `device-1 > telemetry ${body} 200`));
  });

  it('sends the same again when the gateway is busy, not before it is asked to', async () => {
    const { link, lines, pass, stop, ended } = started([answer('503', 7_000), answer('4.29', 3_000)]);
    await pass(0);
    await pass(6_999);
    expect(link.posted).toEqual(['telemetry {"n":0}']);
    await pass(1);
    expect(link.posted).toEqual(['telemetry {"n":0}', 'telemetry {"n":0}']);
    await pass(3_000);
    expect(lines).toEqual([
      'device-1 ! 503; again in 7.0 s',
      'device-1 ! 4.29; again in 3.0 s',
      'device-1 > telemetry {"n":0} 200',
    ]);
    stop.abort();
    await ended;
  });

  it('tries a gateway that is away at longer and longer intervals', async () => {
    const away = new NoAnswer('http://gateway does not listen there');
    const { link, lines, pass, stop, ended } = started([away, away, away]);
    await pass(0);
    for (const wait of [500, 1_000, 2_000]) await pass(wait);
    expect(link.posted).toHaveLength(4);
    expect(lines.filter((line) => line.includes('again in'))).toEqual(
      ['0.5', '1.0', '2.0'].map((wait) => `device-1 ! http://gateway does not listen there; again in ${wait} s`),
    );
    stop.abort();
    await ended;
  });

  it('stops where it is refused for good, and says why', async () => {
    const { lines, journal, ended, pass } = started([answer('400', undefined, '{"message":"no number"}')], {
      listen: true,
    });
    await pass(0);
    await ended;
    expect(lines).toEqual(['device-1 ! refused: 400: no number']);
    expect(journal.counts).toMatchObject({ sent: 0, refused: 1 });
  });

  it('does nothing twice for a command that comes again, and answers it again', async () => {
    const { link, lines, pass, stop, ended } = started([], { listen: true, messages: 0 });
    await pass(0);
    const command = '{"id":4,"method":"setLed","params":{"on":true}}';
    await link.heard?.(command);
    await link.heard?.(command);
    expect(link.posted).toEqual(Array(2).fill('rpc/4 {"method":"setLed","params":{"on":true}}'));
    expect(lines.filter((line) => line.includes('<'))).toEqual([`device-1 < command ${command}`]);
    stop.abort();
    await ended;
  });
});

describe('Telemetry templates', () => {
  const moment = { count: 4, device: 2, now: 15_000 };
  const fill = (template: string) => parseTemplate(template, { fraction: () => 0.25 })(moment);

  it('fill placeholders: alone they are numbers, within a text they are text', () => {
    expect(fill('{"a":"{{random 18 26}}","b":["{{ count }}",{"c":"no {{device}} of {{now}}"}],"d":1}')).toBe(
      '{"a":20,"b":[4,{"c":"no 2 of 15000"}],"d":1}',
    );
    const wave = Number(/[\d.]+/.exec(fill('{"w":"{{wave 10 20 60}}"}'))?.[0]);
    expect(wave).toBeGreaterThanOrEqual(10);
    expect(wave).toBeLessThanOrEqual(20);
  });

  it.each([
    ['{"a":', /^The telemetry is no JSON/],
    ['7', /must be a JSON object or array/],
    ['{"a":"{{rndom 1 2}}"}', /^\{\{rndom 1 2\}\} in the telemetry is none of \{\{random 18 25\}\}/],
    ['{"a":"{{random 1}}"}', /is none of/],
    ['{"a":"x {{random a b}}"}', /is none of/],
  ])('refuse %s before anything is sent', (template, reason) => {
    expect(() => fill(template)).toThrow(reason);
  });
});

describe('A length of time', () => {
  it('has a unit, seconds where it names none', () => {
    expect(['500ms', '5s', '2m', '1.5h', '3'].map(parseDuration)).toEqual([500, 5_000, 120_000, 5_400_000, 3_000]);
    expect(() => parseDuration('soon')).toThrow('"soon" is no length of time');
  });
});
