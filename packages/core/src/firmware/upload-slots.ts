import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Millis } from '../platform/clock';
import type { OtaPackage } from './model';

const RETRY_AFTER: Millis = 5_000;

/** Who may upload at the same time: no tenant takes more than half of the places from the others, no package more than one. */
export class UploadSlots {
  readonly #packages = new Set<Uuid>();
  readonly #ofTenant = new Map<Uuid, number>();
  readonly #share: number;

  /** @param max of all tenants */
  constructor(private readonly max: number) {
    this.#share = Math.ceil(max / 2);
  }

  get taken(): number {
    return this.#packages.size;
  }

  /** @returns frees the place; to be called once. @throws TandemError TOO_MANY_REQUESTS */
  take({ id, tenantId }: Pick<OtaPackage, 'id' | 'tenantId'>): () => void {
    if (this.#packages.has(id)) throw tooMany('This package is being uploaded already');
    const taken = this.#ofTenant.get(tenantId) ?? 0;
    if (this.taken >= this.max || taken >= this.#share) throw tooMany('As many packages are being uploaded as may');
    this.#packages.add(id);
    this.#ofTenant.set(tenantId, taken + 1);
    return () => {
      this.#packages.delete(id);
      const left = (this.#ofTenant.get(tenantId) ?? 0) - 1;
      if (left > 0) this.#ofTenant.set(tenantId, left);
      else this.#ofTenant.delete(tenantId);
    };
  }
}

const tooMany = (message: string) => new TandemError('TOO_MANY_REQUESTS', { message, retryAfter: RETRY_AFTER });
