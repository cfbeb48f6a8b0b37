import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { type Logger, MetricsRegistry, type Millis, type Settings, silentLogger, systemClock } from '@tandem/core';
import { problemsOf } from '../logging/problems';
import type { TlsDoor } from '../tls/door-settings';
import { MATERIAL_SETTINGS } from '../tls/door-settings';
import { madeUpFile } from '../tls/made-up-certificate';
import { openTlsFiles } from '../tls/tls-files';
import { type Finding, fail, ok, warn } from './finding';
import { servesCoaps, servesHttp } from './ports';

const DAY: Millis = 86_400_000;
const EXPIRES_SOON = 30;

/** What each door that proves itself would prove itself with, read as a start reads it. */
export async function checkCertificates(settings: Settings, now: number): Promise<Finding[]> {
  const doors: TlsDoor[] = [];
  if (settings.SSL_ENABLED && servesHttp(settings)) doors.push('https');
  if (servesCoaps(settings)) doors.push('coaps');
  return (await Promise.all(doors.map((door) => checkDoor(settings, door, now)))).flat();
}

/** One that the start makes up, or has made up before. */
function checkMadeUp(file: string, about: string): Finding {
  const made = existsSync(file) ? `${file} was made up` : `the start makes one up, ${file}`;
  return warn(about, `${made}: nobody vouches for it`, 'Name one that devices can check: COAP_DTLS_PEM_CERT.');
}

async function checkDoor(given: Settings, door: TlsDoor, now: number): Promise<Finding[]> {
  const madeUp = door === 'coaps' ? madeUpFile(given) : undefined;
  if (madeUp !== undefined && !existsSync(madeUp)) return [checkMadeUp(madeUp, `certificate of ${door}`)];
  const settings = madeUp === undefined ? given : { ...given, COAP_DTLS_PEM_CERT: madeUp };
  const names = MATERIAL_SETTINGS[door];
  const about = `certificate of ${door}`;
  const told: Finding[] = madeUp === undefined ? [] : [checkMadeUp(madeUp, about)];
  const logger: Logger = {
    ...silentLogger,
    warn: (message) => {
      // Of its dates we say more ourselves.
      if (!/not valid now/.test(message)) told.push(warn(about, message, adviceFor(message)));
    },
  };
  try {
    const files = await openTlsFiles(settings, door, { clock: systemClock, logger, metrics: new MetricsRegistry() });
    const { material, clientTrust } = files.current;
    await files.close();
    const chain = certificatesIn(material.certificates);
    const trust = clientTrust
      ? [
          ok(
            'TANDEM_X509_TRUST_STORE',
            `${certificatesIn(clientTrust.authorities).length} authorities${clientTrust.revoked ? ', with lists of revoked certificates' : ''}`,
          ),
        ]
      : [];
    return [...checkDates(chain, about, now), ...checkChain(chain, about), ...told, ...trust];
  } catch (error) {
    const setting = settings[names.type] === 'PEM' ? `${names.certificate} and ${names.key}` : names.keyStore;
    return problemsOf(error).map((text) =>
      fail(about, text, `See ${setting}, and ${door === 'https' ? 'docs/guides/https.md' : 'docs/guides/coaps.md'}.`),
    );
  }
}

function checkDates(chain: readonly X509Certificate[], about: string, now: number): Finding[] {
  return chain.map((certificate, place) => {
    const { subject, subjectAltName, validFrom, validTo } = certificate;
    const who = `"${oneLine(subject)}"`;
    const names = place === 0 && subjectAltName ? `, for ${subjectAltName}` : '';
    const days = Math.floor((Date.parse(validTo) - now) / DAY);
    const renew = 'Renew it and write the new one over the old file; a running gateway reads it by itself.';
    if (Date.parse(validFrom) > now)
      return warn(
        about,
        `${who} is not valid before ${validFrom}: the start is not held up, but clients refuse it`,
        'Set the clock, or take the one before.',
      );
    if (days < 0)
      return warn(about, `${who} has expired on ${validTo}: the start is not held up, but clients refuse it`, renew);
    if (days < EXPIRES_SOON) return warn(about, `${who} expires in ${days} days, on ${validTo}`, renew);
    return ok(
      about,
      `${who}${names}, valid for ${days} days more; its key fits`.replace(place === 0 ? '' : '; its key fits', ''),
    );
  });
}

/** Whether clients can find the way from the server's certificate up to an authority. */
function checkChain(chain: readonly X509Certificate[], about: string): Finding[] {
  for (const [place, certificate] of chain.entries()) {
    const next = chain[place + 1];
    if (next && !certificate.checkIssued(next)) {
      return [
        warn(
          about,
          `"${oneLine(certificate.subject)}" was not issued by what follows it, "${oneLine(next.subject)}"`,
          'Order the file from the own certificate upwards: cat server.pem intermediate.pem.',
        ),
      ];
    }
  }
  const last = chain.at(-1);
  if (!last || last.checkIssued(last))
    return chain.length === 1 ? [ok(about, 'signed by itself: clients have to be given it')] : [];
  const known = rootCertificates.some((root) => last.checkIssued(new X509Certificate(root)));
  return [
    ok(about, known ? 'leads to an authority that everybody knows' : `clients have to trust "${oneLine(last.issuer)}"`),
  ];
}

const ADVICE: readonly (readonly [pattern: RegExp, advice: string])[] = [
  [/past its time/, 'Fetch the list anew from the authority and write it over the old one.'],
  [/RSA key/, 'Make a key on EC P-256: openssl ecparam -name prime256v1 -genkey.'],
];
const adviceFor = (text: string): string =>
  ADVICE.find(([pattern]) => pattern.test(text))?.[1] ?? 'See docs/guides/https.md.';

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []).map(
    (text) => new X509Certificate(text),
  );

const oneLine = (name: string): string => name.replaceAll('\n', ', ');
