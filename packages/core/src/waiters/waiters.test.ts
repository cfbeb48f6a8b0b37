import { NULL_UUID } from '../devices/model';
import { type MetricName, MetricsRegistry } from '../platform/metrics';
import type { Answerer, Replies } from '../state/processes';
import { FakeClock } from '../testing/fake-clock';
import type { WaiterHere } from './waiter';
import { Waiters } from './waiters';

const USER = { id: NULL_UUID, customerId: NULL_UUID };
const QUESTION = { tenantId: 't', devices: undefined, limit: 100 };

const aWaiter = (deviceId: string, describe = () => {}): WaiterHere => ({
  deviceId,
  tenantId: 't',
  protocol: 'coap',
  describe() {
    describe();
    return {
      deviceId,
      protocol: 'coap',
      kind: 'rpc',
      peer: '192.0.2.7:5683',
      ageSeconds: 1,
      state: 'idle',
      notifications: 0,
    };
  },
});

describe('Waiters', () => {
  let answer: Answerer;
  let others: Replies;
  let metrics: MetricsRegistry;
  let waiters: Waiters;

  beforeEach(() => {
    others = { replies: [], reached: 0 };
    metrics = new MetricsRegistry();
    const processes = {
      id: 'this',
      answer(_topic: string, answerer: Answerer) {
        answer = answerer;
        return () => {};
      },
      ask: async () => others,
    };
    const counters = { take: async () => ({ ok: true }) as const };
    const settings = { timeout: 500, rate: [], maxQuestions: 2 };
    waiters = new Waiters(processes, counters, settings, new FakeClock(), metrics);
  });

  const metric = (name: MetricName) => metrics.value(name);

  it('count a process of another version, whose answer nobody can read, as one that has not answered', async () => {
    const good = '[1,2,[["d","coap","rpc","192.0.2.7:5683",3,"idle",0]]]';
    const texts = [
      '',
      'null',
      '{}',
      '[1,2]',
      '[1,2,[["d"]]]',
      '[-1,0,[]]',
      '[1,2,[["d","mqtt","rpc","p",3,"idle",0]]]',
      good,
    ];
    others = { replies: texts.map((text, n) => ({ process: String(n), text })), reached: 9 };
    expect(await waiters.find(USER, QUESTION)).toMatchObject({
      polls: 1,
      observations: 2,
      waiters: [{ deviceId: 'd', process: '7' }],
      processes: 1,
      unanswered: 8,
    });
    expect(metric('tandem_waiters_unanswered_total')).toBe(8);
  });

  it('describe no more of those there are than are asked for', async () => {
    let described = 0;
    waiters.add(() => Array.from({ length: 1_000 }, (_, n) => aWaiter(String(n), () => described++)));
    const [polls, observations, rows] = JSON.parse((await answer('{"tenantId":"t","limit":3}')) ?? '');
    expect([polls, observations, rows.length, described]).toEqual([0, 1_000, 3, 3]);
  });

  it('answer so many questions at once, and say nothing to one more', async () => {
    waiters.add(() => Array.from({ length: 1_000 }, (_, n) => aWaiter(String(n))));
    const asked = [1, 2, 3].map(() => answer('{"tenantId":"t","limit":1}'));
    expect(metric('tandem_waiters_questions')).toBe(2);
    expect((await Promise.all(asked)).map((text) => text !== undefined)).toEqual([true, true, false]);
    expect([metric('tandem_waiters_refused_total'), metric('tandem_waiters_questions')]).toEqual([1, 0]);
    expect(await answer('{"tenantId":"t","limit":1}')).toBeDefined();
  });

  it('do not answer what they cannot read', async () => {
    for (const text of ['', 'null', '{}', '{"tenantId":"t"}', '{"tenantId":"t","limit":1,"devices":[1]}']) {
      await expect(answer(text)).rejects.toThrow();
    }
    expect(metric('tandem_waiters_questions')).toBe(0);
  });

  it('are told no more of a door that has closed', async () => {
    const forget = waiters.add(() => [aWaiter('d')]);
    expect(await answer('{"tenantId":"t","limit":1}')).toMatch(/^\[0,1,/);
    forget();
    expect(await answer('{"tenantId":"t","limit":1}')).toBe('[0,0,[]]');
  });
});
