import { X509Certificate } from 'node:crypto';
import { type Clock, presentedCertificates } from '@tandem/core';
import type { AcceptedCertificates, CertificateChain, HandshakePolicy } from './engine';

/** In bits: what is below can be worked out. */
const MIN_RSA = 2_048;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/**
 * Which certificates of clients are taken (contract 2.11). Of keys it looks at the strength itself: OpenSSL takes any where CCM-8 is
 * offered, whose short tags are below each of its levels.
 */
export class CertificatePolicy implements Pick<HandshakePolicy, 'acceptsCertificates' | 'stillAccepts'> {
  /** @param skipValidity TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly skipValidity: boolean,
  ) {}

  acceptsCertificates(chain: CertificateChain): AcceptedCertificates | undefined {
    const presented = presentedCertificates(chain, { now: this.clock.now(), skipValidity: this.skipValidity });
    if ('refused' in presented) return undefined;
    const ids: string[] = [];
    let until = Number.POSITIVE_INFINITY;
    for (const [n, id] of presented.ids.entries()) {
      const certificate = new X509Certificate(chain[n] ?? Buffer.alloc(0));
      if (!isStrong(certificate)) break;
      ids.push(id);
      until = Math.min(until, Date.parse(certificate.validTo));
    }
    return ids.length === 0 ? undefined : { ids, until };
  }

  stillAccepts({ until }: Pick<AcceptedCertificates, 'until'>): boolean {
    return this.skipValidity || this.clock.now() <= until;
  }
}

function isStrong(certificate: X509Certificate): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    switch (asymmetricKeyType) {
      case 'rsa':
      case 'rsa-pss':
        return (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA;
      case 'ec':
        return CURVES.has(asymmetricKeyDetails?.namedCurve ?? '');
      default:
        return false;
    }
  } catch {
    // Of a kind that is unknown here.
    return false;
  }
}
