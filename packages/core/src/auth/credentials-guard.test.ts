import { setImmediate } from 'node:timers/promises';
import { TandemError } from '../errors';
import { FailuresInTime } from '../limits/failures-in-time';
import { MemoryFailureCounters } from '../limits/memory-failure-counters';
import { silentLogger } from '../platform/logger';
import { type LabelsOf, type MetricName, MetricsRegistry } from '../platform/metrics';
import type { FailureCounters } from '../state/failure-counters';
import { FakeClock } from '../testing/fake-clock';
import { CredentialsGuard } from './credentials-guard';

const MAX = 3;
const LOCK = 60_000;
const PATIENCE = 500;
const HERE = '192.0.2.1';
const THERE = '192.0.2.2';

let clock: FakeClock;
let shared: FailureCounters;
beforeEach(() => {
  clock = new FakeClock();
  shared = new MemoryFailureCounters(1_000, new MetricsRegistry());
});

function makeProcess({ counters = shared, max = MAX, maxLocked = 100, maxLookups = 10_000 } = {}) {
  const metrics = new MetricsRegistry();
  const alone = new MemoryFailureCounters(maxLocked, metrics);
  const both = new FailuresInTime(alone, counters, PATIENCE, clock, silentLogger, metrics);
  const failures = { max, window: LOCK, lock: LOCK };
  const guard = new CredentialsGuard(both, { failures, maxLocked, maxLookups }, clock, metrics);
  const read = <N extends MetricName>(name: N, labels?: Partial<LabelsOf<N>>) => metrics.value(name, labels);
  return { guard, read };
}

type Process = ReturnType<typeof makeProcess>;

const refusal = ({ code, retryAfter }: TandemError) => (retryAfter === undefined ? code : `${code} ${retryAfter}`);
const wrong = () => Promise.reject(new TandemError('UNAUTHORIZED'));
const right = () => Promise.resolve('device');
const look = ({ guard }: Process, find: () => Promise<unknown> = wrong, address = HERE) =>
  guard.look(address, find).catch(refusal);
async function guess(process: Process, times: number, address = HERE): Promise<void> {
  for (let n = 0; n < times; n++) await look(process, wrong, address);
}

describe('An address', () => {
  it('is locked for a time by as many wrong credentials as the limit says, and no other one is', async () => {
    const process = makeProcess();
    expect([await look(process), await look(process)]).toEqual(['UNAUTHORIZED', 'UNAUTHORIZED']);
    expect(process.guard.anyLocked).toBe(false);
    expect(await look(process)).toBe('UNAUTHORIZED');
    expect(await look(process, right)).toBe(`TOO_MANY_REQUESTS ${LOCK}`);
    expect(() => process.guard.admit(HERE)).toThrow('Too many wrong credentials from this address');
    expect([process.guard.isLocked(HERE), process.guard.isLocked(THERE)]).toEqual([true, false]);
    expect(await look(process, right, THERE)).toBe('device');
    clock.advance(LOCK - 1);
    expect(await look(process, right)).toBe('TOO_MANY_REQUESTS 1');
    clock.advance(1);
    expect(process.guard.anyLocked).toBe(false);
    expect(await look(process, right)).toBe('device');
  });

  it('cannot guess on for a right token of its own in between', async () => {
    const process = makeProcess();
    await guess(process, MAX - 1);
    expect(await look(process, right)).toBe('device');
    await guess(process, 1);
    expect(process.guard.isLocked(HERE)).toBe(true);
  });

  it('begins anew when no wrong credentials came for as long as they count', async () => {
    const process = makeProcess();
    await guess(process, MAX - 1);
    clock.advance(LOCK);
    await guess(process, MAX - 1);
    expect(process.guard.isLocked(HERE)).toBe(false);
  });

  it('that gives a thousand wrong credentials at once is locked by the first few: the others are not looked up', async () => {
    const process = makeProcess();
    const asked = jest.fn(wrong);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => look(process, asked)));
    expect(asked).toHaveBeenCalledTimes(MAX);
    expect(answers.filter((answer) => answer === 'UNAUTHORIZED')).toHaveLength(MAX);
    expect(answers.at(-1)).toBe(`TOO_MANY_REQUESTS ${LOCK}`);
    expect(process.read('tandem_credentials_guarded_lookups')).toBe(0);
  });

  it('that has as many lookups under way as may be wrong has to wait for them also with what is known', async () => {
    const process = makeProcess();
    expect([process.guard.anyLookedUp, process.guard.hasToWait(HERE)]).toEqual([false, false]);
    const guesses = Array.from({ length: MAX - 1 }, () => look(process));
    expect([process.guard.anyLookedUp, process.guard.hasToWait(HERE)]).toEqual([true, false]);
    guesses.push(look(process));
    expect([process.guard.hasToWait(HERE), process.guard.hasToWait(THERE)]).toEqual([true, false]);
    expect(await look(process, right)).toBe(`TOO_MANY_REQUESTS ${LOCK}`);
    expect(await Promise.all(guesses)).toEqual(Array(MAX).fill('UNAUTHORIZED'));
    expect(process.guard.anyLookedUp).toBe(false);
  });

  it('that has failed before has to wait for fewer, and not any more when they were right', async () => {
    const process = makeProcess();
    await guess(process, MAX - 1);
    expect(process.guard.hasToWait(HERE)).toBe(false);
    const last = look(process, right);
    expect(process.guard.hasToWait(HERE)).toBe(true);
    expect(await last).toBe('device');
    await setImmediate();
    expect(process.guard.hasToWait(HERE)).toBe(false);
  });

  it('with many devices whose tokens are right is answered for all of them, however many ask at once', async () => {
    const process = makeProcess();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => look(process, right)));
    expect(new Set(answers)).toEqual(new Set(['device']));
  });

  it('is locked by what a handshake finds wrong as well', async () => {
    const process = makeProcess();
    for (let n = 0; n < MAX; n++) process.guard.failed(HERE);
    await setImmediate();
    expect(process.guard.isLocked(HERE)).toBe(true);
  });

  it('is never locked where lock-out is off, and its wrong credentials are counted all the same', async () => {
    const process = makeProcess({ max: 0 });
    await guess(process, 50);
    expect(await look(process, right)).toBe('device');
    expect(process.guard.isLocked(HERE)).toBe(false);
    expect(process.read('tandem_wrong_credentials_total')).toBe(50);
  });
});

describe('With several processes, an address', () => {
  it('is locked by the wrong credentials it gave to all of them', async () => {
    const [one, other] = [makeProcess(), makeProcess()];
    await guess(one, MAX - 1);
    await guess(other, 1);
    expect(other.guard.isLocked(HERE)).toBe(true);
    expect(await look(other, right)).toBe(`TOO_MANY_REQUESTS ${LOCK}`);
  });

  it('that one of them has locked is locked by another with the first lookup, be it of right credentials', async () => {
    const [one, other] = [makeProcess(), makeProcess()];
    await guess(one, MAX);
    clock.advance(1_000);
    expect(await look(other, right)).toBe(`TOO_MANY_REQUESTS ${LOCK - 1_000}`);
    expect(other.guard.isLocked(HERE)).toBe(true);
    clock.advance(LOCK - 1_000);
    expect(await look(other, right)).toBe('device');
  });

  it('that one of them has locked does not learn at another that credentials are wrong, and it is not counted', async () => {
    const [one, other] = [makeProcess(), makeProcess()];
    await guess(one, MAX);
    expect(await look(other)).toBe(`TOO_MANY_REQUESTS ${LOCK}`);
    expect(other.read('tandem_wrong_credentials_total')).toBe(0);
  });
});

describe('While the store does not count', () => {
  const never = () => new Promise<never>(() => {});
  const fails = () => Promise.reject(new TandemError('STORE_UNAVAILABLE'));
  const counters = (answer: () => Promise<never>): FailureCounters => ({
    locked: answer,
    fail: answer,
    attempt: answer,
    giveBack: answer,
    succeed: answer,
  });

  it('each process counts alone', async () => {
    const process = makeProcess({ counters: counters(fails) });
    await guess(process, MAX);
    expect(await look(process, right)).toBe(`TOO_MANY_REQUESTS ${LOCK}`);
    expect(process.read('tandem_wrong_credentials_unshared_total')).toBe(2 * MAX);
  });

  it('nobody waits for it longer than is said', async () => {
    const process = makeProcess({ counters: counters(never) });
    const answer = look(process, right);
    await setImmediate();
    clock.advance(PATIENCE);
    expect(await answer).toBe('device');
  });

  it('credentials that cannot be looked up lock nobody, and are refused at once', async () => {
    const process = makeProcess({ counters: counters(never) });
    for (let n = 0; n < 2 * MAX; n++) expect(await look(process, fails)).toBe('STORE_UNAVAILABLE');
    expect(process.read('tandem_wrong_credentials_total')).toBe(0);
    expect(process.guard.isLocked(HERE)).toBe(false);
  });
});

describe('What is kept', () => {
  it('is of so many addresses: the lock made longest ago goes first', async () => {
    const process = makeProcess({ max: 1, maxLocked: 2 });
    for (const n of [1, 2, 3]) await guess(process, 1, `198.51.100.${n}`);
    const locked = [1, 2, 3].map((n) => process.guard.isLocked(`198.51.100.${n}`));
    expect(locked).toEqual([false, true, true]);
    expect(process.read('tandem_locked_addresses')).toBe(2);
  });

  it('is of so many lookups: one more is refused', async () => {
    const process = makeProcess({ maxLookups: 2 });
    const never = () => new Promise<never>(() => {});
    void look(process, never);
    void look(process, never, THERE);
    expect(await look(process, right, '192.0.2.3')).toBe('TOO_MANY_REQUESTS 1000');
    expect(process.read('tandem_limit_hits_total', { limit: 'TANDEM_CREDENTIALS_MAX_LOOKUPS' })).toBe(1);
  });

  it('is shown: who is locked, how often, and what was refused', async () => {
    const process = makeProcess();
    await guess(process, MAX + 2);
    const names = [
      'tandem_wrong_credentials_total',
      'tandem_addresses_locked_total',
      'tandem_locked_addresses',
    ] as const;
    expect(names.map((name) => process.read(name))).toEqual([MAX, 1, 1]);
    expect(process.read('tandem_locked_addresses_refused_total')).toBe(2);
    clock.advance(LOCK);
    expect(process.read('tandem_locked_addresses')).toBe(0);
  });
});
