import type { SettingName, Settings } from '@tandem/core';

/** A door that proves itself with a certificate. */
export type TlsDoor = 'https' | 'coaps';

/** Names of the settings that say where the certificate and key of a door are. */
interface MaterialSettings {
  readonly type: 'SSL_CREDENTIALS_TYPE' | 'COAP_DTLS_CREDENTIALS_TYPE';
  readonly certificate: TextSetting;
  readonly key: TextSetting;
  readonly keyPassword: TextSetting;
  readonly keyStore: TextSetting;
  readonly keyStorePassword: TextSetting;
  readonly keyAlias: TextSetting;
}

export type TextSetting = { [K in SettingName]: Settings[K] extends string | undefined ? K : never }[SettingName];

export const MATERIAL_SETTINGS: Readonly<Record<TlsDoor, MaterialSettings>> = {
  https: {
    type: 'SSL_CREDENTIALS_TYPE',
    certificate: 'SSL_PEM_CERT',
    key: 'SSL_PEM_KEY',
    keyPassword: 'SSL_PEM_KEY_PASSWORD',
    keyStore: 'SSL_KEY_STORE',
    keyStorePassword: 'SSL_KEY_STORE_PASSWORD',
    keyAlias: 'SSL_KEY_ALIAS',
  },
  coaps: {
    type: 'COAP_DTLS_CREDENTIALS_TYPE',
    certificate: 'COAP_DTLS_PEM_CERT',
    key: 'COAP_DTLS_PEM_KEY',
    keyPassword: 'COAP_DTLS_PEM_KEY_PASSWORD',
    keyStore: 'COAP_DTLS_KEY_STORE',
    keyStorePassword: 'COAP_DTLS_KEY_STORE_PASSWORD',
    keyAlias: 'COAP_DTLS_KEY_ALIAS',
  },
};
