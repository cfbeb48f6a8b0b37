import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import { Places } from '../limits/places';
import type { Millis } from '../platform/clock';
import type { Random } from '../platform/random';

/** Of one device: enough for one that fetches several parts at once. */
const OF_ONE_DEVICE = 8;
/** When to come again: of many who were refused at the same time not all at the same time. */
const RETRY_AFTER: Millis = 5_000;
const RETRY_SPREAD: Millis = 15_000;

/** Who may download at the same time where each holds a piece in memory. */
export class DownloadSlots {
  readonly #places: Places;

  constructor(
    max: number,
    private readonly random: Random,
  ) {
    this.#places = new Places(max, OF_ONE_DEVICE);
  }

  get taken(): number {
    return this.#places.taken;
  }

  /** @returns frees the place; to be called once. @throws TandemError TOO_MANY_REQUESTS */
  take(deviceId: Uuid): () => void {
    const free = this.#places.take(deviceId);
    if (free) return free;
    throw new TandemError('TOO_MANY_REQUESTS', {
      message: 'As many downloads are under way as may',
      retryAfter: RETRY_AFTER + this.random.fraction() * RETRY_SPREAD,
    });
  }
}
