import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Millis } from '../platform/clock';
import type { Random } from '../platform/random';

/** Of one device: enough for one that fetches several parts at once. */
const OF_ONE_DEVICE = 8;
/** When to come again: of many who were refused at the same time not all at the same time. */
const RETRY_AFTER: Millis = 5_000;
const RETRY_SPREAD: Millis = 15_000;

/** Who may download at the same time where each holds a piece in memory. */
export class DownloadSlots {
  readonly #ofDevice = new Map<Uuid, number>();
  #taken = 0;

  constructor(
    private readonly max: number,
    private readonly random: Random,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  /** @returns frees the place; to be called once. @throws TandemError TOO_MANY_REQUESTS */
  take(deviceId: Uuid): () => void {
    const taken = this.#ofDevice.get(deviceId) ?? 0;
    if (this.#taken >= this.max || taken >= OF_ONE_DEVICE) {
      throw new TandemError('TOO_MANY_REQUESTS', {
        message: 'As many downloads are under way as may',
        retryAfter: RETRY_AFTER + this.random.fraction() * RETRY_SPREAD,
      });
    }
    this.#taken++;
    this.#ofDevice.set(deviceId, taken + 1);
    return () => {
      this.#taken--;
      const left = (this.#ofDevice.get(deviceId) ?? 0) - 1;
      if (left > 0) this.#ofDevice.set(deviceId, left);
      else this.#ofDevice.delete(deviceId);
    };
  }
}
