import type { Socket } from 'node:net';
import { type Core, type DeviceSession, TandemError } from '@tandem/core';
import type { ClientCertificates } from './client-certificates';
import type { Exchange } from './requests/exchange';
import { bearerToken, decodeSegment } from './requests/parameters';
import type { Route } from './routes';

const NONE: readonly string[] = [];

/** Empty where neither the path nor a header names one. */
export const tokenOf = ({ request }: Exchange, { token }: Route): string =>
  token === undefined ? bearerToken(request.headers.authorization) : decodeSegment(token);

/**
 * Which device sends a request: that of the token in the path or in `Authorization`, or else that of the client's certificate. And
 * who is not even asked.
 */
export class Callers {
  constructor(
    private readonly core: Pick<Core, 'auth' | 'callers' | 'credentialsGuard'>,
    private readonly certificates: ClientCertificates | undefined,
  ) {}

  /** @throws TandemError TOO_MANY_REQUESTS for who is locked out */
  admit(exchange: Exchange): void {
    const { callers, credentialsGuard } = this.core;
    if (credentialsGuard.anyLocked) credentialsGuard.admit(exchange.callerAddress(callers));
  }

  /** Where it is known without a look into the store. */
  cached(exchange: Exchange, route: Route, token: string): DeviceSession | undefined {
    if (token === '') return this.#cachedByCertificate(exchange, route);
    const { auth, callers, credentialsGuard } = this.core;
    const session = auth.cached(token);
    const waits =
      session && credentialsGuard.anyLookedUp && credentialsGuard.hasToWait(exchange.callerAddress(callers));
    return waits ? undefined : session;
  }

  /**
   * To be asked when `cached` does not know.
   * @throws TandemError UNAUTHORIZED at once for who shows nothing at all, which is to have guessed nothing; by the promise UNAUTHORIZED
   * when it is no device, TOO_MANY_REQUESTS for who is locked out
   */
  find(exchange: Exchange, route: Route, token: string): Promise<DeviceSession> {
    const { auth, callers, credentialsGuard } = this.core;
    if (token !== '') return credentialsGuard.look(exchange.callerAddress(callers), () => auth.resolve(token));
    const ids = this.#idsOf(exchange, route);
    if (ids.length === 0) throw new TandemError('UNAUTHORIZED');
    return credentialsGuard.look(exchange.callerAddress(callers), () => this.#resolve(exchange.request.socket, ids));
  }

  #cachedByCertificate(exchange: Exchange, route: Route): DeviceSession | undefined {
    const [own] = this.#idsOf(exchange, route);
    return own === undefined ? undefined : this.#known(this.certificates?.foundBy(exchange.request.socket) ?? own);
  }

  async #resolve(socket: Socket, ids: readonly string[]): Promise<DeviceSession> {
    const found = await this.core.auth.resolveFor('X509_CERTIFICATE', ids);
    const by = ids.find((id) => this.#known(id) === found);
    if (by !== undefined) this.certificates?.found(socket, by);
    return found;
  }

  /** What is in `Authorization` is no token where these are asked for: a wrong one would have been looked up. */
  #idsOf({ request }: Exchange, { token }: Route): readonly string[] {
    return (token === undefined && this.certificates?.idsOf(request.socket)) || NONE;
  }

  #known(id: string): DeviceSession | undefined {
    return this.core.auth.cachedFor('X509_CERTIFICATE', id);
  }
}
