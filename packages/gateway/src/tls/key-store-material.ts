import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { asn1, pkcs12 } from 'node-forge';
import { checkedMaterial, type ReadMaterial } from './checked-material';
import type { TextSetting } from './door-settings';
import type { NamedFile } from './named-file';

interface KeyStoreFile {
  readonly store: NamedFile;
  readonly password: string;
  readonly passwordSetting: TextSetting;
  readonly alias: string;
  readonly aliasSetting: TextSetting;
}

interface Entry {
  readonly alias: string;
  readonly key: KeyObject;
}

/** The first four bytes of a Java key store, and of one with Java's own encryption. */
const JAVA_STORES: ReadonlyMap<number, string> = new Map([
  [0xfeedfeed, 'JKS'],
  [0xcececece, 'JCEKS'],
]);

/**
 * The certificate of a PKCS#12 key store, those that lead to its authority, as far as they are in it, and its key.
 * @throws FileProblem
 */
export async function keyStoreMaterial({
  store,
  password,
  passwordSetting,
  alias,
  aliasSetting,
}: KeyStoreFile): Promise<ReadMaterial> {
  refuseOtherKinds(store);
  // Half a megabyte of code that only those need who have a key store.
  const { default: forge } = await import('node-forge');
  const der = (value: asn1.Asn1) => Buffer.from(forge.asn1.toDer(value).getBytes(), 'latin1');
  const bags = openStore(forge, store, password, passwordSetting).safeContents.flatMap(({ safeBags }) => safeBags);
  const entries: Entry[] = [];
  const certificates: X509Certificate[] = [];
  try {
    for (const bag of bags) {
      if (bag.type === forge.pki.oids.certBag) {
        certificates.push(new X509Certificate(der(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1)));
      } else {
        const pkcs8 = bag.key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key)) : bag.asn1;
        entries.push({ alias: aliasOf(bag), key: createPrivateKey({ key: der(pkcs8), format: 'der', type: 'pkcs8' }) });
      }
    }
  } catch (error) {
    throw unreadable(store, error);
  }
  const { key } = chosen(entries, store, alias, aliasSetting);
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (!own) throw store.problem('has no certificate for its key: add that to it');
  return checkedMaterial(chainOf(own, certificates), key, { certificates: store, key: store });
}

function refuseOtherKinds(store: NamedFile): void {
  const { bytes, path, setting } = store;
  const java = bytes.length >= 4 ? JAVA_STORES.get(bytes.readUInt32BE(0)) : undefined;
  if (java) {
    const target = `${path.replace(/\.(?:jks|jceks|keystore)$/i, '')}.p12`;
    const convert = `keytool -importkeystore -srckeystore ${quoted(path)} -srcstoretype ${java} -destkeystore ${quoted(target)} -deststoretype PKCS12`;
    throw store.problem(
      `is a Java key store (${java}), which is not read. Convert it by: ${convert} and set ${setting}=${target}`,
    );
  }
  if (bytes.includes('-----BEGIN ')) {
    throw store.problem(
      'is PEM and no key store: set the credentials type to PEM, and name it as the certificate file',
    );
  }
}

function openStore(
  forge: typeof import('node-forge'),
  store: NamedFile,
  password: string,
  passwordSetting: TextSetting,
): pkcs12.Pkcs12Pfx {
  try {
    const structure = forge.asn1.fromDer(store.bytes.toString('latin1'), false);
    return forge.pkcs12.pkcs12FromAsn1(structure, false, password);
  } catch (error) {
    if (/password/i.test((error as Error).message)) {
      throw store.problem(
        `is not opened by ${passwordSetting}, or a key in it has another password than the store`,
        error,
      );
    }
    throw unreadable(store, error);
  }
}

function unreadable(store: NamedFile, cause: unknown): Error {
  const convert = `openssl pkcs12 -in ${quoted(store.path)} -out server.pem`;
  return store.problem(`is not a PKCS#12 key store that can be read. Try PEM: ${convert}`, cause);
}

const aliasOf = ({ attributes }: pkcs12.Bag): string =>
  String((attributes as Record<string, unknown[] | undefined> | undefined)?.friendlyName?.[0] ?? '');

/** Aliases are compared as Java does, which writes them in small letters. */
function chosen(entries: readonly Entry[], store: NamedFile, alias: string, aliasSetting: TextSetting): Entry {
  const [first, ...others] = entries;
  if (!first) throw store.problem('has no private key in it: export it with its key');
  if (others.length === 0) return first;
  const wanted = entries.filter((entry) => entry.alias.toLowerCase() === alias.toLowerCase());
  if (wanted.length === 1 && wanted[0]) return wanted[0];
  const names = entries.map((entry) => `"${entry.alias}"`).join(', ');
  throw store.problem(`holds several keys, ${names}, and ${aliasSetting} "${alias}" names none or several of them`);
}

/** In the order of TLS: each is issued by the one behind it. An authority of its own ends it. */
function chainOf(own: X509Certificate, certificates: readonly X509Certificate[]): readonly X509Certificate[] {
  const chain = [own];
  for (let last = own; ; ) {
    const issuer = certificates.find((candidate) => !chain.includes(candidate) && last.checkIssued(candidate));
    if (!issuer) return chain;
    chain.push(issuer);
    last = issuer;
  }
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
