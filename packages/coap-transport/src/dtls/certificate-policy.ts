import { type Clock, presentedCertificates } from '@tandem/core';
import type { AcceptedCertificates, CertificateChain, HandshakePolicy } from './engine';

/** Which certificates of clients are taken (contract 2.11). */
export class CertificatePolicy implements Pick<HandshakePolicy, 'acceptsCertificates' | 'stillAccepts'> {
  /** @param skipValidity TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT */
  constructor(
    private readonly clock: Pick<Clock, 'now'>,
    private readonly skipValidity: boolean,
  ) {}

  acceptsCertificates(chain: CertificateChain): AcceptedCertificates | undefined {
    const presented = presentedCertificates(chain, { now: this.clock.now(), skipValidity: this.skipValidity });
    return 'refused' in presented || presented.ids.length === 0 ? undefined : presented;
  }

  stillAccepts({ until }: Pick<AcceptedCertificates, 'until'>): boolean {
    return this.skipValidity || this.clock.now() <= until;
  }
}
