import type { Logger } from '../platform/logger';
import { tellOne } from '../platform/tell-all';
import type { FeedMessage, UncountedMessage } from '../state/device-feed';

/** A listener of a feed, and how many changes it has heard: both stores count alike. */
export class CountedListener {
  #heard = 0;

  constructor(
    private readonly listener: (message: FeedMessage) => void,
    private readonly logger: Logger,
  ) {}

  /** The `at` of the last change. */
  get heard(): number {
    return this.#heard;
  }

  /** Never throws: a listener that threw at a change may have it only in part, and is told that it missed something. */
  hear(message: UncountedMessage): void {
    if (message.kind === 'missed' || message.kind === 'gone') {
      tellOne(this.listener, message, this.logger);
      return;
    }
    this.#heard++;
    if (!tellOne(this.listener, { ...message, at: this.#heard }, this.logger)) this.hear({ kind: 'missed' });
  }
}
