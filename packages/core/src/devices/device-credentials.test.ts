import { systemRandom } from '../platform/random';
import { CERTIFICATE, OTHER_CERTIFICATE, trimmed } from '../testing/certificates';
import { certificateId, credentialsContent, newCredentials } from './device-credentials';

const base64 = trimmed(CERTIFICATE);

describe('Credentials', () => {
  it('of a new device are a random access token where nothing else is asked for', () => {
    const token = { credentialsType: 'ACCESS_TOKEN', credentialsValue: null };
    const random = expect.stringMatching(/^[A-Za-z0-9]{20}$/);
    for (const request of [
      {},
      { credentialsType: 'ACCESS_TOKEN', credentialsId: '' },
      { credentialsId: null },
    ] as const) {
      expect(newCredentials(request, systemRandom)).toEqual({ ...token, credentialsId: random });
    }
    expect(newCredentials({ credentialsId: 'wanted' }, systemRandom)).toEqual({ ...token, credentialsId: 'wanted' });
  });

  it('of a certificate are found by its SHA3-256 (TV-317)', () => {
    expect(certificateId('MIIB')).toBe('4d696d7df7c7d7cb0f98cb7b82f04271a87e3b1f931c085357fbfb84a54bb474');
  });

  it.each([
    ['as PEM', CERTIFICATE],
    ['as PEM with the line ends of Windows', CERTIFICATE.replaceAll('\n', '\r\n')],
    ['as PEM in one line', CERTIFICATE.replaceAll('\n', '')],
    ['without armour', base64],
    ['without armour, in lines', base64.replace(/.{76}/g, '$&\n')],
  ])('hold a certificate that comes %s as base64, and their id is computed', (_case, credentialsValue) => {
    const request = { credentialsType: 'X509_CERTIFICATE', credentialsId: 'given in vain', credentialsValue } as const;
    const content = {
      credentialsType: 'X509_CERTIFICATE',
      credentialsId: certificateId(base64),
      credentialsValue: base64,
    };
    expect(credentialsContent(request)).toEqual(content);
    expect(newCredentials(request, systemRandom)).toEqual(content);
  });

  const NO_CERTIFICATE = 'credentialsValue must be one X.509 certificate, as PEM or base64';
  it.each([
    ['none', null, 'X.509 certificate should be specified in credentialsValue!'],
    ['armour alone', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----', 'X.509 certificate should be specified'],
    ['no base64', 'a certificate', NO_CERTIFICATE],
    ['base64 of something else', Buffer.from('no certificate').toString('base64'), NO_CERTIFICATE],
    ['a certificate cut short', base64.slice(0, -8), NO_CERTIFICATE],
    [
      'a certificate and more',
      Buffer.concat([Buffer.from(base64, 'base64'), Buffer.from([0])]).toString('base64'),
      NO_CERTIFICATE,
    ],
    ['two certificates', CERTIFICATE + OTHER_CERTIFICATE, NO_CERTIFICATE],
    ['a key', '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----', NO_CERTIFICATE],
    ['a text without end', 'A'.repeat(65_537), 'The certificate is longer than 65536 characters'],
  ])('are refused with %s for a certificate', (_case, credentialsValue, message) => {
    const request = { credentialsType: 'X509_CERTIFICATE', credentialsValue } as const;
    expect(() => credentialsContent(request)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(message) }),
    );
  });

  it('of LwM2M are refused by name', () => {
    const credentialsType = 'LWM2M_CREDENTIALS';
    const message = `Credentials of type ${credentialsType} are not supported: there is no transport for them`;
    expect(() => credentialsContent({ credentialsType, credentialsId: 'x', credentialsValue: '{}' })).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message }),
    );
  });
});
