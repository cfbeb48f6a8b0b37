import type { CredentialsGuard } from '@tandem/core';
import type { CoapRequest } from './endpoint/index';
import { sourceAddress } from './source-address';

/**
 * Whom wrong credentials lock out over CoAP: those of whom is known that they are where they say. What anybody may have written on
 * a datagram neither counts nor is refused (design section 9).
 */
export class LockOut {
  /** Of sessions: each of their messages is asked for it while anybody is locked out. */
  readonly #addresses = new WeakMap<object, { readonly from: string; readonly address: string }>();

  constructor(private readonly guard: CredentialsGuard) {}

  /** To be called before credentials are looked at. @throws TandemError TOO_MANY_REQUESTS */
  admit(request: CoapRequest): void {
    if (this.guard.anyLocked && request.provesItself) this.guard.admit(this.#addressOf(request));
  }

  /** Whether also a token that is known is to be found by `look`. */
  hasToWait(request: CoapRequest): boolean {
    return this.guard.anyLookedUp && request.provesItself && this.guard.hasToWait(this.#addressOf(request));
  }

  /** @param find throws UNAUTHORIZED for wrong credentials */
  look<T>(request: CoapRequest, find: () => Promise<T>): Promise<T> {
    return request.provesItself ? this.guard.look(this.#addressOf(request), find) : find();
  }

  #addressOf({ peer }: CoapRequest): string {
    const { session, address: from } = peer;
    const known = session && this.#addresses.get(session);
    if (known?.from === from) return known.address;
    const address = sourceAddress(peer);
    if (session) this.#addresses.set(session, { from, address });
    return address;
  }
}
