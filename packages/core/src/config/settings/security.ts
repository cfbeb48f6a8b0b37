import { looksLikeKey } from '../../platform/secret-keys';
import { flag, millis, optionalText, type Setting, whole } from '../setting';
import { trustedProxies } from '../trusted-proxies';

/** What several doors share against strangers. */
export const SECURITY_SETTINGS = {
  TB_TRANSPORT_IP_RATE_LIMITS_ENABLED: flag(
    false,
    'Whether an address with too many wrong credentials is locked out of the device API over HTTP and DTLS',
  ),
  TB_TRANSPORT_MAX_WRONG_CREDENTIALS_PER_IP: whole(
    10,
    { min: 1 },
    'Wrong credentials of devices from one address, or one /64 network of IPv6, that lock it out; right ones in between change nothing. So many are looked up for it at the same time, too',
  ),
  TB_TRANSPORT_IP_BLOCK_TIMEOUT: millis(
    60_000,
    'How long such an address gets 429 / 4.29 and no DTLS handshake; wrong credentials count until none followed for so long',
  ),
  TANDEM_LOCKED_ADDRESSES_MAX: whole(
    100_000,
    { min: 1 },
    'Addresses whose wrong credentials and locks a process remembers, while there is a lock-out',
  ),
  TANDEM_CREDENTIALS_MAX_LOOKUPS: whole(
    10_000,
    { min: 1 },
    'Lookups of credentials that may lock an address, at the same time or waiting for their turn; beyond it requests get 429 / 4.29',
  ),
  TANDEM_SECRET_KEY_FILE: {
    ...optionalText(
      'File with the keys, 32 bytes each in hexadecimal or base64, one a line, that encrypt secrets in the store: the first encrypts, all decrypt; unset: they are stored in clear',
    ),
    looksSecret: looksLikeKey,
  },
  TANDEM_TRUSTED_PROXIES: trustedProxies(
    'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed; without it all logins, and all devices to be provisioned, through a proxy come from one address',
  ),
  TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_ENABLED: flag(
    true,
    'Whether certificates, keys and lists of them are read again when their files change',
  ),
  TB_TRANSPORT_SSL_CERTIFICATE_RELOAD_CHECK_INTERVAL: whole(
    60,
    { min: 1, max: 86_400, unit: 's' },
    'How often these files are looked at',
  ),
  TANDEM_X509_TRUST_STORE: optionalText(
    'PEM file of the authorities that certificates of devices have to come from; unset: any certificate that is stored for a device stands for it',
  ),
  TANDEM_X509_CRL: optionalText('PEM file of revoked certificates, of every authority in the trust store'),
} as const satisfies Record<string, Setting<unknown>>;
