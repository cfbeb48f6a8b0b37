import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import { Places } from '../limits/places';
import type { Millis } from '../platform/clock';
import type { OtaPackage } from './model';

const RETRY_AFTER: Millis = 5_000;

/** Who may upload at the same time: no tenant takes more than half of the places from the others, no package more than one. */
export class UploadSlots {
  readonly #packages = new Set<Uuid>();
  readonly #places: Places;

  /** @param max of all tenants */
  constructor(max: number) {
    this.#places = new Places(max, Math.ceil(max / 2));
  }

  get taken(): number {
    return this.#places.taken;
  }

  /** @returns frees the place; to be called once. @throws TandemError TOO_MANY_REQUESTS */
  take({ id, tenantId }: Pick<OtaPackage, 'id' | 'tenantId'>): () => void {
    if (this.#packages.has(id)) throw tooMany('This package is being uploaded already');
    const free = this.#places.take(tenantId);
    if (!free) throw tooMany('As many packages are being uploaded as may');
    this.#packages.add(id);
    return () => {
      this.#packages.delete(id);
      free();
    };
  }
}

const tooMany = (message: string) => new TandemError('TOO_MANY_REQUESTS', { message, retryAfter: RETRY_AFTER });
