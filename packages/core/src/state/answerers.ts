import type { Logger } from '../platform/logger';
import type { Answerer } from './processes';

/** What this process answers: for those who make {@link Processes}. */
export class Answerers {
  readonly #byTopic = new Map<string, Answerer>();

  constructor(private readonly logger: Logger) {}

  add(topic: string, answerer: Answerer): () => void {
    this.#byTopic.set(topic, answerer);
    return () => {
      if (this.#byTopic.get(topic) === answerer) this.#byTopic.delete(topic);
    };
  }

  /** Never rejects. @returns undefined where it says nothing, as a process does that has just begun */
  async answerTo(topic: string, question: string): Promise<string | undefined> {
    try {
      return await this.#byTopic.get(topic)?.(question);
    } catch (error) {
      this.logger.error('a listener failed', { topic, error: String(error) });
      return undefined;
    }
  }
}
