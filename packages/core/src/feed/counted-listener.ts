import type { FeedMessage, UncountedMessage } from '../state/device-feed';

/** A listener of a feed, and how many changes it has heard: both stores count alike. */
export class CountedListener {
  #heard = 0;

  constructor(private readonly listener: (message: FeedMessage) => void) {}

  /** The `at` of the last change. */
  get heard(): number {
    return this.#heard;
  }

  hear(message: UncountedMessage): void {
    if (message.kind === 'missed' || message.kind === 'gone') {
      this.listener(message);
    } else {
      this.#heard++;
      this.listener({ ...message, at: this.#heard });
    }
  }
}
