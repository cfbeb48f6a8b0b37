import { FaultLog } from './fault-log';
import { type MakeStore, useSharedStore } from './store-under-test';

/** Longer than any answer takes that comes at all. */
const LONG = 30_000;
/** A question that nobody waits for. */
const SHORT = 300;

/** What holds with one process; what holds between several is a matter of the store that has several. */
export function describeProcessesContract(makeStore: MakeStore): void {
  describe('Processes', () => {
    const log = new FaultLog();
    const store = useSharedStore(makeStore, { logger: log.logger });
    const { ask, answer } = {
      ask: (topic: string, question: string, wait = LONG) => store.state.processes.ask(topic, question, wait),
      answer: (topic: string, say: (question: string) => Promise<string | undefined>) =>
        store.state.processes.answer(topic, say),
    };

    it('ask this one as well, and are told what it says as it was said, and by whom', async () => {
      const stop = answer('echo', async (question) => `said: ${question}`);
      for (const text of ['', 'a b', 'line\nbreak\r\n', '"ü😀"\u0000', 'x'.repeat(300_000)]) {
        const { replies, reached } = await ask('echo', text);
        expect(replies).toEqual([{ process: store.state.processes.id, text: `said: ${text}` }]);
        expect(reached).toBe(1);
      }
      stop();
    });

    it('do not wait for one that says nothing, has no answer to the topic, or none any more', async () => {
      const stop = answer('mute', async () => undefined);
      expect(await ask('mute', 'x')).toEqual({ replies: [], reached: 1 });
      expect(await ask('unknown', 'x')).toEqual({ replies: [], reached: 1 });
      stop();
      const before = answer('mute', async () => 'former');
      const again = answer('mute', async () => '');
      for (const over of [stop, before]) over();
      expect((await ask('mute', 'x')).replies).toMatchObject([{ text: '' }]);
      again();
      expect(await ask('mute', 'x')).toEqual({ replies: [], reached: 1 });
    });

    it('log an answer that fails, and do not wait for it', async () => {
      const stop = answer('broken', () => Promise.reject(new Error('it broke')));
      expect(await ask('broken', 'x')).toEqual({ replies: [], reached: 1 });
      expect(log.faults).toEqual(['Error: it broke']);
      stop();
    });

    it('wait no longer than they are asked to, and take nothing that comes later for the answer to another question', async () => {
      const waiting: ((text: string) => void)[] = [];
      const stop = answer('slow', () => new Promise((resolve) => waiting.push(resolve)));
      expect(await ask('slow', 'x', SHORT)).toEqual({ replies: [], reached: 1 });
      const later = ask('slow', 'y');
      while (waiting.length < 2) await new Promise(setImmediate);
      waiting[0]?.('to x');
      waiting[1]?.('to y');
      expect((await later).replies).toMatchObject([{ text: 'to y' }]);
      stop();
    });

    it('take many questions at once', async () => {
      const stop = answer('many', async (question) => question);
      const asked = Array.from({ length: 50 }, (_, n) => ask('many', String(n)));
      const texts = (await Promise.all(asked)).map(({ replies }) => replies[0]?.text);
      expect(texts).toEqual(asked.map((_, n) => String(n)));
      stop();
    });

    it('are asked no more when the store is closed', async () => {
      await store.empty();
      await store.state.close();
      await expect(ask('echo', 'x')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });
}
