export const REDACTED = '[redacted]';

/** Parts of names whose values never reach a log line, whoever says them: of fields, parameters, members and headers. */
const WORDS =
  'token|passw(?:or)?d|passphrase|secret|authorization|cookie|api[-_]?key|private[-_]?key|jwt|psk(?![-_]?id)|provisiondevicekey|credentialsid|credentialsvalue|community';
const NAME = `[\\w.-]{0,40}?(?:${WORDS})[\\w.-]{0,40}`;
/** Where a secret is kept is none. */
const PLACE = /(?:file|folder|path)$/i;
const SECRET_NAME = new RegExp(WORDS, 'i');
const WHOLE_NAME = new RegExp(`^${NAME}:?$`, 'i');

/** Also of what is in capitals and snake case, as the names of settings are. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name) && !PLACE.test(name);

/** Whether a text is nothing but such a name, as in a list of headers. */
export const isOnlySecretName = (text: string): boolean => WHOLE_NAME.test(text) && isSecretName(text);

/** What a URL is cut at, written as it is or percent-encoded. */
const SLASH = '(?:/|%2f)';
/** What of a quoted text does not end the quotes: a secret may have any character that a URL may. */
const APOSTROPHE = `'(?=\\w)`;
/** A segment, up to what cannot be in one. */
const SEGMENT = `(?:(?!%2f|%3f)(?:[^/\\s?"'\\\\]|${APOSTROPHE}))+`;

type Replace = (...match: string[]) => string;

/** A quote, in a string within strings with the backslashes before it. */
const QUOTE = `\\\\{0,15}["']`;
/** Where it ends: with the same quote that no further backslash is before. */
const IN_QUOTES = `(?:(?!(?<!\\\\)\\5\\6)[\\s\\S])*(?:\\5\\6)?`;

/**
 * None of them may take longer than in proportion to the text: strangers write some of what is logged. So what may be repeated
 * is bounded, or cannot begin inside of itself.
 */
const RULES: readonly (readonly [pattern: RegExp, replacement: Replace])[] = [
  // Of a private key without its end, all that is there.
  [
    /-----BEGIN [A-Z0-9 ]{0,40}(?:PRIVATE KEY|CERTIFICATE)-----(?:(?!-----)[\s\S])*(?:-----END [A-Z0-9 ]{0,40}-----)?/g,
    () => REDACTED,
  ],
  // The token of a device's path, and of one that has lost its first slash.
  [
    new RegExp(`((?:^|[^\\w]|%2f)(?:api${SLASH}v1|fw|sw)${SLASH})${SEGMENT}`, 'gi'),
    (_all, before) => `${before}${REDACTED}`,
  ],
  // User and password of a URL: also of one that is none, for a character in its password.
  [/\b(rediss?:\/\/)[^\s"'<>,]{0,500}@/gi, (_all, scheme) => `${scheme}${REDACTED}@`],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s"'<>,/?#]{0,500}@/gi, (_all, scheme) => `${scheme}${REDACTED}@`],
  // Headers, also as somebody prints them.
  [
    new RegExp(
      `(authorization(?:${QUOTE})?\\s{0,5}[:=,]\\s{0,5}(?:${QUOTE})?)(Bearer |Basic |ApiKey |Digest )?[^\\s"'\\\\,}]+`,
      'gi',
    ),
    (_all, before, scheme = '') => `${before}${scheme}${REDACTED}`,
  ],
  [/\b(Bearer|ApiKey) +[^\s"'\\]+/gi, (_all, scheme) => `${scheme} ${REDACTED}`],
  [/(?<![\w-])eyJ[\w-]+(?:\.[\w-]*)+/g, () => REDACTED],
  // Members of JSON, of JSON in a string of JSON, and of objects as Node prints them.
  [
    new RegExp(`(${QUOTE}|\\b)(${NAME})((?:${QUOTE})?)(\\s{0,5}:\\s{0,5})(\\\\{0,15})(["'])${IN_QUOTES}`, 'gi'),
    (all, open = '', name = '', close = '', colon = '', slashes = '', quote = '') =>
      isSecretName(name) ? [open, name, close, colon, slashes, quote, REDACTED, slashes, quote].join('') : all,
  ],
  [
    new RegExp(
      `(${QUOTE})(${NAME})(${QUOTE}\\s{0,5}:\\s{0,5})(?!${QUOTE}|null\\b|true\\b|false\\b)(?:\\[[^\\]]*\\]?|{[^}]*}?|[^\\s,}\\]]+)`,
      'gi',
    ),
    (all, open = '', name = '', colon = '') => (isSecretName(name) ? [open, name, colon, REDACTED].join('') : all),
  ],
  // Parameters of a query, form fields, settings.
  [
    new RegExp(
      `(\\b|%3f|%26)(${NAME}|(?<=[?&;])(?:key|code|sig|signature|auth))(=|%3d)(?:(?!%26)(?:[^&\\s"'\\\\]|${APOSTROPHE}))+`,
      'gi',
    ),
    (all, before = '', name = '', equals = '') => (PLACE.test(name) ? all : [before, name, equals, REDACTED].join('')),
  ],
  // What Redis says of a command that it does not know, and Node of what is no JSON.
  [/(with args beginning with: ).+/g, (_all, before) => `${before}${REDACTED}`],
  [
    /(Unexpected token .{1,12}?, )[\s\S]{1,200}?( is not valid JSON)/g,
    (_all, before, after) => `${before}${REDACTED}${after}`,
  ],
];

const ENCODED = /%[0-9a-f]{2}/i;
/** How often a text may have been percent-encoded. */
const LAYERS = 3;

/** A text without the secrets that are to be known by what is around them. */
export function redactText(text: string): string {
  const rest = cut(text);
  if (!ENCODED.test(rest)) return rest;
  return rest.replace(/[^\s"'<>]+/g, (word) => (ENCODED.test(word) ? redactEncoded(word) : word));
}

const cut = (text: string): string =>
  RULES.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);

/** Where what is encoded hides a secret the word is shown as it reads, without it. */
function redactEncoded(word: string): string {
  let plain = word;
  for (let layer = 0; layer < LAYERS && ENCODED.test(plain); layer++) {
    plain = decoded(plain);
    const rest = cut(plain);
    if (rest !== plain) return rest;
  }
  return word;
}

const decoded = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString());
