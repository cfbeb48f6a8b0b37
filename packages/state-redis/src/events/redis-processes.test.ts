import type { State } from '@tandem/core';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { makeRedisStore } from '../testing/redis-store';

const LONG = 30_000;

describe('Processes on one Redis', () => {
  let redis: RedisServer;
  const open: State[] = [];
  const process = async (prefix: string): Promise<State> => {
    const { state } = await makeRedisStore(redis.address, { prefix });
    open.push(state);
    return state;
  };

  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((state) => state.close()));
  });
  afterAll(() => redis.stop());

  it('ask all of them at once, and have all answers as soon as the last one is there', async () => {
    const states = await Promise.all([1, 2, 3].map(() => process('all')));
    for (const { processes } of states) processes.answer('who', async (question) => `${question} ${processes.id}`);
    const asked = await Promise.all(states.map(({ processes }) => processes.ask('who', 'I am', LONG)));
    const ids = states.map(({ processes }) => processes.id).sort();
    for (const { replies, reached } of asked) {
      expect(replies.map(({ process }) => process).sort()).toEqual(ids);
      expect(replies.every(({ process, text }) => text === `I am ${process}`)).toBe(true);
      expect(reached).toBe(3);
    }
  });

  it('have the answers of the others where one does not say anything in time', async () => {
    const [asker, quick, slow] = [await process('slow'), await process('slow'), await process('slow')];
    asker.processes.answer('who', async () => 'asker');
    quick.processes.answer('who', async () => 'quick');
    slow.processes.answer('who', () => new Promise(() => {}));
    const { replies, reached } = await asker.processes.ask('who', '', 1_000);
    expect(replies.map(({ text }) => text).sort()).toEqual(['asker', 'quick']);
    expect(reached).toBe(3);
  });

  it('do not wait for one that has gone', async () => {
    const [asker, gone] = [await process('gone'), await process('gone')];
    asker.processes.answer('who', async () => 'asker');
    gone.processes.answer('who', async () => 'gone');
    await gone.close();
    expect(await asker.processes.ask('who', '', LONG)).toMatchObject({ replies: [{ text: 'asker' }], reached: 1 });
  });

  it('never hear those of another prefix', async () => {
    const [one, other] = [await process('one'), await process('other')];
    const heard: string[] = [];
    one.processes.answer('who', async () => 'one');
    other.processes.answer('who', async (question) => {
      heard.push(question);
      return 'other';
    });
    expect((await one.processes.ask('who', '', LONG)).replies).toEqual([{ process: one.processes.id, text: 'one' }]);
    expect(heard).toEqual([]);
  });
});
