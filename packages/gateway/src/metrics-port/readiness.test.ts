import { type MaterialiserCondition, MaterialiserRecord, type State, TandemError } from '@tandem/core';
import { FakeClock } from '@tandem/core/testing';
import { isReady, type Part, partsJson, renderParts, renderReadiness } from './parts';
import { Readiness } from './readiness';

/** A store that answers so. */
const store = (ping: () => Promise<void>, materialiser = new MaterialiserRecord()) =>
  ({ ping, materialiser: { condition: (): MaterialiserCondition => materialiser.condition } }) as State;
const takesWrites = async () => {};
const never = () => new Promise<void>(() => {});

let clock: FakeClock;
let stopping: boolean;
beforeEach(() => {
  clock = new FakeClock();
  stopping = false;
});

const readinessOf = (given: Partial<ConstructorParameters<typeof Readiness>[0]> = {}) =>
  new Readiness({
    doors: ['http', 'api'],
    embedded: true,
    materialises: false,
    clock,
    stopping: () => stopping,
    ...given,
  });
const textOf = async (readiness: Readiness) => renderReadiness(await readiness.parts());

describe('Whether a process is ready', () => {
  let readiness: Readiness;
  beforeEach(() => {
    readiness = readinessOf();
  });
  const open = (state: State) => {
    for (const door of ['http', 'api'] as const) readiness.serves(door);
    readiness.opened(state);
  };

  it('it says what it waits for, door by door', async () => {
    const starting = 'not ready: http is starting\nnot ready: api is starting\n';
    expect(await textOf(readiness)).toBe(`${starting}not ready: the store is being opened\n`);
    readiness.waiting('h:1 refuses the connection');
    const reason = 'not ready: the store does not answer: h:1 refuses the connection\n';
    expect(await textOf(readiness)).toBe(starting + reason);
    readiness.opened(store(takesWrites));
    expect(await textOf(readiness)).toBe(starting);
    readiness.serves('http');
    expect(await textOf(readiness)).toBe('not ready: api is starting\n');
    readiness.serves('api');
    expect(await textOf(readiness)).toBe('ready\n');
    expect(clock.timers).toBe(0);
  });

  it('it says so when the store fails, or takes too long', async () => {
    open(store(() => Promise.reject(new Error('no'))));
    expect(await textOf(readiness)).toBe('not ready: the store does not take writes: no\n');
    const full = new TandemError('STORE_UNAVAILABLE', { cause: new Error('OOM command not allowed') });
    readiness.opened(store(() => Promise.reject(full)));
    expect(await textOf(readiness)).toBe('not ready: the store does not take writes: OOM command not allowed\n');
    readiness.opened(store(never));
    const answer = textOf(readiness);
    clock.advance(2_000);
    expect(await answer).toBe('not ready: the store does not answer\n');
    expect(clock.timers).toBe(0);
  });

  it('it asks a store that hangs no second time, however often it is asked itself', async () => {
    const ping = jest.fn(never);
    open(store(ping));
    for (let n = 0; n < 5; n++) {
      const answer = readiness.parts();
      clock.advance(2_000);
      await answer;
    }
    expect(ping).toHaveBeenCalledTimes(1);
  });

  it('it says that it stops, whatever the store does', async () => {
    open(store(never));
    stopping = true;
    expect(await textOf(readiness)).toBe('not ready: shutting down\n');
  });

  it('a door that cannot be opened is named, and the others serve', async () => {
    readiness = readinessOf({ doors: ['http', 'coaps'] });
    readiness.opened(store(takesWrites));
    readiness.serves('http');
    readiness.servesNot('coaps', 'there is no koffi');
    expect(await textOf(readiness)).toBe('ready\ndegraded: coaps is not served: there is no koffi\n');
  });

  it('a materialiser whose thread has ended, or that fails again and again, is named with the reason, and requests are welcome', async () => {
    const record = new MaterialiserRecord();
    readiness = readinessOf({ doors: [], materialises: true });
    readiness.opened(store(takesWrites, record));
    expect(await readiness.parts()).toContainEqual({ name: 'materialiser', state: 'starting', needed: false });
    record.running();
    record.failed('Error: once\n    at a line of code');
    record.failed('Error: twice');
    expect(await textOf(readiness)).toBe('ready\n');
    record.failed('Error: the disk is nearly full\n    at a line of code');
    expect(await textOf(readiness)).toBe(
      'ready\ndegraded: the materialiser does not get on: Error: the disk is nearly full\n',
    );
    record.worked();
    expect(await textOf(readiness)).toBe('ready\n');
    record.ended('Error: out of memory');
    expect(await textOf(readiness)).toBe(
      'ready\ndegraded: the materialiser has ended and is started again: Error: out of memory\n',
    );
  });
});

describe('Whether a process is alive', () => {
  it('it is while its store elsewhere hangs, for ever', () => {
    const readiness = readinessOf({ embedded: false });
    const ping = jest.fn(never);
    readiness.opened(store(ping));
    readiness.hanging();
    clock.advance(3_600_000);
    expect(readiness.hanging()).toEqual([]);
    expect(ping).not.toHaveBeenCalled();
  });

  it('it is not when the store within it has owed an answer for a minute, whoever asked', () => {
    const readiness = readinessOf();
    readiness.opened(store(never));
    expect(readiness.hanging()).toEqual([]);
    clock.advance(59_999);
    expect(readiness.hanging()).toEqual([]);
    clock.advance(1);
    expect(readiness.hanging()).toEqual(['the store has not answered for 60 s']);
    stopping = true;
    expect(readiness.hanging()).toEqual([]);
  });

  it('it is not when the thread of the materialiser has ended twenty times, with no step between them that went well', () => {
    const record = new MaterialiserRecord();
    const readiness = readinessOf();
    readiness.opened(store(takesWrites, record));
    for (let n = 0; n < 19; n++) record.ended('Error: out of memory');
    expect(readiness.hanging()).toEqual([]);
    record.worked();
    for (let n = 0; n < 20; n++) record.ended('Error: out of memory');
    expect(readiness.hanging()).toEqual([
      'the thread of the materialiser has ended 20 times in a row: Error: out of memory',
    ]);
  });
});

describe('The parts of several processes', () => {
  const parts: Part[] = [
    { name: 'http', state: 'up', needed: true, worker: 1 },
    { name: 'coap', state: 'starting', needed: true, worker: 1 },
    { name: 'worker 2', state: 'failing', reason: 'worker 2 does not answer', needed: true },
  ];

  it('are a line each, below those that are in the way', () => {
    expect(renderParts(parts)).toBe(
      [
        'not ready: worker 1: coap is starting',
        'not ready: worker 2 does not answer',
        'worker 1: http: up',
        'worker 1: coap: starting',
        'worker 2: failing: worker 2 does not answer',
        '',
      ].join('\n'),
    );
  });

  it('are told as JSON', () => {
    expect(isReady(parts)).toBe(false);
    expect(JSON.parse(partsJson(parts))).toEqual({ ready: false, parts });
  });
});
