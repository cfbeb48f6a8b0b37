import { X509Certificate } from 'node:crypto';
import { certificateId } from '../devices/device-credentials';
import type { EpochMillis } from '../platform/clock';

/** What may be presented: more than any device has, and little enough to be looked at for a stranger. */
const MAX_CERTIFICATES = 10;
const MAX_BYTES = 65_536;

/** In bits: what is below can be worked out. */
const MIN_RSA = 2_048;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

export type CertificateRefusal = 'too large' | 'malformed' | 'weak' | 'expired' | 'not valid yet';

/** Of the certificates that a client has presented. */
export type PresentedCertificates =
  | {
      /** Ids of credentials of the type X509_CERTIFICATE, to be tried in this order. */
      readonly ids: readonly string[];
      /** The last moment at which all of those are valid. */
      readonly until: EpochMillis;
    }
  | { readonly refused: CertificateRefusal };

export interface CertificateRules {
  readonly now: EpochMillis;
  /** TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT */
  readonly skipValidity: boolean;
}

/**
 * Which credentials a chain of certificates can stand for (contract 2.11). The client has proved that it has the key of the
 * first one, and of no other: those above it count as far as each is really signed by the next, since certificates are no
 * secrets and anybody can put another's behind their own (ADR 43).
 * @param chain DER, that of the client first; nobody has looked at it yet
 */
export function presentedCertificates(chain: readonly Buffer[], rules: CertificateRules): PresentedCertificates {
  const bytes = chain.reduce((sum, { length }) => sum + length, 0);
  if (chain.length > MAX_CERTIFICATES || bytes > MAX_BYTES) return { refused: 'too large' };
  const ids: string[] = [];
  let until = Number.POSITIVE_INFINITY;
  let below: X509Certificate | undefined;
  for (const der of chain) {
    const certificate = parsed(der);
    const refused = certificate ? fault(certificate, rules) : 'malformed';
    if (!certificate || refused) {
      // Only of its own certificate the client has to be told: what is above it may be anything.
      if (!below && refused) return { refused };
      break;
    }
    if (below && !isIssued(below, certificate)) break;
    ids.push(certificateId(der.toString('base64')));
    until = Math.min(until, Date.parse(certificate.validTo));
    below = certificate;
  }
  return { ids, until };
}

function parsed(der: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der);
    // With bytes behind it, it would be read as the same certificate and have another id.
    return certificate.raw.equals(der) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

function fault(certificate: X509Certificate, { now, skipValidity }: CertificateRules): CertificateRefusal | undefined {
  if (!isStrong(certificate)) return 'weak';
  const { validFrom, validTo } = certificate;
  if (skipValidity) return undefined;
  if (!(Date.parse(validFrom) <= now)) return 'not valid yet';
  return now <= Date.parse(validTo) ? undefined : 'expired';
}

/** OpenSSL does not look at it wherever suites are offered whose short tags are below each of its levels. */
function isStrong(certificate: X509Certificate): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    switch (asymmetricKeyType) {
      case 'rsa':
      case 'rsa-pss':
        return (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA;
      case 'ec':
        return CURVES.has(asymmetricKeyDetails?.namedCurve ?? '');
      case 'ed25519':
      case 'ed448':
        return true;
      default:
        return false;
    }
  } catch {
    // Of a kind that is unknown here.
    return false;
  }
}

/** By name, by what the issuer may do, and by signature. */
function isIssued(below: X509Certificate, above: X509Certificate): boolean {
  try {
    return below.checkIssued(above) && above.ca && below.verify(above.publicKey);
  } catch {
    // Of a kind of key or signature that is unknown here.
    return false;
  }
}
