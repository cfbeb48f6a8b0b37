/** What a server of TLS or DTLS proves itself with. */
export interface KeyMaterial {
  /** PEM: the server's own certificate first, then those that lead to its authority. */
  readonly certificates: string;
  /** PEM of PKCS#8, not encrypted. Never to be logged. */
  readonly key: string;
}

/** Whom certificates of clients have to come from. Undefined: from anybody, since they are known by what is stored of them. */
export interface ClientTrust {
  /** PEM of the authorities. */
  readonly authorities: string;
  /** PEM of their lists of revoked certificates; undefined: none is looked at. */
  readonly revoked: string | undefined;
}

/** What is read from files that may change while the gateway runs. */
export interface TlsFiles {
  readonly material: KeyMaterial;
  readonly clientTrust: ClientTrust | undefined;
}

/** A value that may be replaced. A listener hears of each new one, after which `current` is that. */
export interface Watched<T> {
  readonly current: T;
  /** @returns stops listening */
  onChange(listener: (current: T) => void): () => void;
}

/** @returns the lists of {@link ClientTrust.revoked} one by one, as `node:tls` wants them: of several in one text it takes the first */
export const revocationLists = (revoked: string): string[] =>
  revoked.match(/-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g) ?? [];
