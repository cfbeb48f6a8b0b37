import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Core, type Millis, presentedCertificates, type TlsFiles, type Watched } from '@tandem/core';

/** How long a connection is served by what its certificates were when they were looked at: they may expire meanwhile. */
const LOOK_AGAIN: Millis = 60_000;
/** More than is taken: those beyond are not even fetched. */
const MOST = 11;

const PRESENTED = Symbol('presented');
type Secured = TLSSocket & { [PRESENTED]?: Presented };

interface Presented {
  /** DER, that of the client first. */
  readonly chain: readonly Buffer[];
  ids: readonly string[];
  /** Which of them a device was found by. */
  found: string | undefined;
  until: Millis;
}

/** Which devices the certificates of clients may stand for. */
export class ClientCertificates {
  constructor(
    private readonly core: Pick<Core, 'clock' | 'settings'>,
    private readonly files: Watched<TlsFiles>,
  ) {}

  /** @returns ids of credentials of the type X509_CERTIFICATE, to be tried in this order; none where nothing is presented that counts */
  idsOf(socket: Socket): readonly string[] {
    if (!(socket instanceof TLSSocket)) return [];
    if (this.files.current.clientTrust && !isTrusted(socket)) return [];
    const secured: Secured = socket;
    const now = this.core.clock.monotonic();
    let presented = secured[PRESENTED];
    if (!presented) {
      // Once: asked again, Node knows of the chain its first certificate alone.
      presented = { chain: chainOf(socket), ids: [], found: undefined, until: now };
      secured[PRESENTED] = presented;
    }
    if (now >= presented.until) {
      presented.ids = this.#look(presented.chain);
      presented.found = undefined;
      presented.until = now + LOOK_AGAIN;
    }
    return presented.ids;
  }

  /**
   * Which of `idsOf` stands for a device as it was last found: until certificates are looked at again those before it, which nobody
   * had, are not asked for with each request.
   */
  foundBy(socket: Socket): string | undefined {
    return (socket as Secured)[PRESENTED]?.found;
  }

  found(socket: Socket, id: string): void {
    const presented = (socket as Secured)[PRESENTED];
    if (presented) presented.found = id;
  }

  #look(chain: readonly Buffer[]): readonly string[] {
    const { clock, settings } = this.core;
    const skipValidity = settings.TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT;
    const presented = presentedCertificates(chain, { now: clock.now(), skipValidity });
    return 'ids' in presented ? presented.ids : [];
  }
}

const OUTDATED = Symbol('trusted by what does not hold any more');

/** Event of a connection: the trust of its handshake is lost. */
export const TRUST_LOST = 'trust lost';

/** Who has lost the trust of the handshake does not get it back on this connection. */
export function loseTrust(socket: TLSSocket): void {
  Object.assign(socket, { [OUTDATED]: true });
  socket.emit(TRUST_LOST);
}

export const hasLostTrust = (socket: Socket): boolean => OUTDATED in socket;

const isTrusted = (socket: TLSSocket): boolean => socket.authorized && !hasLostTrust(socket);

function chainOf(socket: TLSSocket): readonly Buffer[] {
  const chain: Buffer[] = [];
  for (let one = socket.getPeerX509Certificate(); one && chain.length < MOST; one = one.issuerCertificate) {
    chain.push(one.raw);
  }
  return chain;
}
