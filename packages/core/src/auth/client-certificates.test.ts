import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { Pki } from '../../../../test/security/pki';
import { certificateId } from '../devices/device-credentials';
import { type PresentedCertificates, presentedCertificates } from './client-certificates';

let pki: Pki;
beforeAll(() => {
  pki = new Pki();
});
afterAll(() => pki.remove());

/** Those of the tests are made after this line. */
const now = Date.now() + 3_600_000;
const present = (...chain: { readonly der: Buffer }[]): PresentedCertificates =>
  presentedCertificates(
    chain.map(({ der }) => der),
    { now, skipValidity: false },
  );
const idsOf = (...chain: { readonly der: Buffer }[]) => ({
  ids: chain.map(({ der }) => certificateId(der.toString('base64'))),
  until: Math.min(...chain.map(({ der }) => Date.parse(new X509Certificate(der).validTo))),
});

/** A certificate, by openssl-req(1), whose key goes nowhere. */
function selfSignedWith(name: string, ...key: string[]): { readonly der: Buffer } {
  const options = ['-x509', ...key, '-nodes', '-days', '30', '-subj', `/CN=${name}`, '-keyout', '/dev/null'];
  const pem = execFileSync('openssl', ['req', ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  return { der: new X509Certificate(pem).raw };
}

describe('What a client has presented stands for', () => {
  it('its own certificate, whoever issued it', () => {
    for (const one of [pki.client, pki.rsaClient, pki.selfSignedClient, pki.clientOfOther, pki.serverAuthClient]) {
      expect(present(one)).toEqual(idsOf(one));
    }
  });

  it('those that lead up from it as well, its own first', () => {
    const { clientOfIntermediate, intermediate, root } = pki;
    expect(present(clientOfIntermediate, intermediate, root)).toEqual(idsOf(clientOfIntermediate, intermediate, root));
  });

  it('never the certificate of another device put behind its own', () => {
    const { selfSignedClient, client, clientOfIntermediate, intermediate } = pki;
    expect(present(selfSignedClient, client)).toEqual(idsOf(selfSignedClient));
    // Of the same authority, too, and behind a true chain.
    expect(present(client, pki.rsaClient)).toEqual(idsOf(client));
    expect(present(clientOfIntermediate, intermediate, client)).toEqual(idsOf(clientOfIntermediate, intermediate));
  });

  it('never an authority of the same name whose key did not sign it, nor a device that issued it as if it were one', () => {
    const forged = pki.selfSigned('false root', 'root');
    const bySameName = pki.issuedBy(forged, 'forged');
    expect(new X509Certificate(bySameName.certificate).issuer).toBe(new X509Certificate(pki.root.certificate).subject);
    expect(new X509Certificate(bySameName.certificate).checkIssued(new X509Certificate(pki.root.certificate))).toBe(
      true,
    );
    expect(present(bySameName, pki.root)).toEqual(idsOf(bySameName));
    const byDevice = pki.issuedBy(pki.client, 'of a device');
    expect(present(byDevice, pki.client)).toEqual(idsOf(byDevice));
  });

  it('nothing when its own is not valid now, unless that is not looked at', () => {
    expect(present(pki.expiredClient)).toEqual({ refused: 'expired' });
    expect(present(pki.futureClient)).toEqual({ refused: 'not valid yet' });
    for (const one of [pki.expiredClient, pki.futureClient]) {
      expect(presentedCertificates([one.der], { now, skipValidity: true })).toEqual(idsOf(one));
    }
  });

  it('only what is below an authority that is not valid any more', () => {
    const expired = pki.root.issue('expired authority', {
      extensions: 'authority',
      period: ['20250101000000Z', '20250201000000Z'],
    });
    const leaf = pki.issuedBy(expired, 'leaf of expired');
    expect(present(leaf, expired)).toEqual(idsOf(leaf));
    const skipping = presentedCertificates([leaf.der, expired.der], { now, skipValidity: true });
    expect(skipping).toEqual(idsOf(leaf, expired));
  });

  it('nothing when it is no certificate, or has bytes behind it', () => {
    const { der } = pki.client;
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('garbage'),
      Buffer.concat([der, Buffer.of(0)]),
      der.subarray(1),
    ]) {
      expect(present({ der: bytes })).toEqual({ refused: 'malformed' });
      expect(present(pki.client, { der: bytes })).toEqual(idsOf(pki.client));
    }
    expect(present()).toEqual({ ids: [], until: Number.POSITIVE_INFINITY });
  });

  it('nothing when its own key is weak', () => {
    const short = selfSignedWith('short', '-newkey', 'rsa:1024');
    expect(present(short)).toEqual({ refused: 'weak' });
    expect(present(selfSignedWith('curve', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp224r1'))).toEqual({
      refused: 'weak',
    });
    const edwards = selfSignedWith('edwards', '-newkey', 'ed25519');
    expect(present(edwards)).toEqual(idsOf(edwards));
    expect(presentedCertificates([short.der], { now, skipValidity: true })).toEqual({ refused: 'weak' });
  });

  it('nothing when it is more than a stranger may make work', () => {
    expect(present(...Array.from({ length: 11 }, () => pki.client))).toEqual({ refused: 'too large' });
    expect(present({ der: Buffer.alloc(65_537) })).toEqual({ refused: 'too large' });
  });
});
