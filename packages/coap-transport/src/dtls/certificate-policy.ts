import { type CertificateRefusal, type Clock, presentedCertificates } from '@tandem/core';
import type { AcceptedCertificates, CertificateChain, HandshakePolicy, RefusedCertificates } from './engine';
import type { HandshakeFailure } from './handshake-failure';

const FAILURES: Readonly<Record<CertificateRefusal, HandshakeFailure>> = {
  'too large': 'too_large',
  malformed: 'malformed',
  weak: 'weak_key',
  expired: 'expired',
  'not valid yet': 'not_yet_valid',
};

/** Which certificates of clients are taken (contract 2.11). */
export class CertificatePolicy implements Pick<HandshakePolicy, 'acceptsCertificates' | 'stillAccepts'> {
  /** @param skipValidity TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly skipValidity: boolean,
  ) {}

  acceptsCertificates(chain: CertificateChain): AcceptedCertificates | RefusedCertificates {
    const presented = presentedCertificates(chain, { now: this.clock.now(), skipValidity: this.skipValidity });
    if ('refused' in presented) return { refused: FAILURES[presented.refused] };
    return presented.ids.length === 0 ? { refused: 'malformed' } : presented;
  }

  stillAccepts({ until }: Pick<AcceptedCertificates, 'until'>): boolean {
    return this.skipValidity || this.clock.now() <= until;
  }
}
