const { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/**
 * Whether anything that a test run used as a secret stands in anything that a process of it wrote. Tests and processes leave both in
 * one folder (`test/support/used-secrets.ts`), and when all tests are over the reporter looks.
 */
const VARIABLE = 'TANDEM_TEST_LOGS';
const SECRETS = '.secrets';
const LOG = '.log';
/** Shorter ones are found by accident, as `tok1` in the middle of another word. */
const SHORTEST = 8;

/** To be called before the first test, with its temporary folders where they will be. */
function keepLogs() {
  const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'tandem-test-logs-'));
  process.env[VARIABLE] = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}

/** @param test the file of the test that uses it */
function addSecret(folder, writer, secret, test) {
  if (secret.length >= SHORTEST)
    appendFileSync(join(folder, writer + SECRETS), `${JSON.stringify({ secret, test })}\n`);
}

/** @param writer names the process, and the test that started it */
const addLog = (folder, writer, text) => appendFileSync(join(folder, writer + LOG), text);

/**
 * @returns how much was looked through, and of each secret that stands in a log where: its own text is not among it, since what is
 * said of it goes into a log as well
 */
function scan(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const secrets = new Map();
  for (const name of names.filter((each) => each.endsWith(SECRETS))) {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
    for (const { secret, test } of lines.map((line) => JSON.parse(line))) secrets.set(secret, test);
  }
  const finder = new Finder(secrets);
  const leaks = [];
  let bytes = 0;
  const logs = names.filter((each) => each.endsWith(LOG));
  for (const name of logs) {
    const log = readFileSync(join(folder, name));
    bytes += log.length;
    for (const { secret, form, at } of finder.find(log)) {
      leaks.push({
        log: name.slice(0, -LOG.length),
        test: secrets.get(secret),
        form,
        line: shownLine(log, at, secret),
      });
    }
  }
  return { secrets: secrets.size, logs: logs.length, bytes, leaks };
}

/** The line around a secret, without it. */
function shownLine(log, at, secret) {
  const start = log.lastIndexOf('\n', at) + 1;
  const end = log.indexOf('\n', at);
  const line = log.subarray(start, end < 0 ? log.length : end).toString();
  return formsOf(secret)
    .reduce((rest, { text }) => rest.replaceAll(text, '(here)'), line)
    .slice(0, 500);
}

/**
 * What of a longer text in base64 is the secret's alone, as of `user:password`.
 * @param before bytes that are before it, modulo 3
 */
function inBase64(secret, before) {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  return bytes.toString('base64').slice(Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3));
}

/** How a text may stand in a log. */
const formsOf = (secret) => [
  { form: 'as it is', text: secret },
  { form: 'as JSON', text: JSON.stringify(secret).slice(1, -1) },
  { form: 'percent-encoded', text: encodeURIComponent(secret) },
  ...[0, 1, 2].flatMap((before) => {
    const text = inBase64(secret, before);
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')].map((each) => ({ form: 'in base64', text: each }));
  }),
  { form: 'in hexadecimal', text: Buffer.from(secret).toString('hex') },
  { form: 'as bytes', text: [...Buffer.from(secret)].join(',') },
];

const SLOTS = 2 ** 20;
const TAIL = 8;
const { imul } = Math;
/** Of the last bytes before a place: the first ones are the same for all JWTs, and for tokens that are numbered. */
const slotOf = (bytes, end) =>
  (imul(bytes.readInt32LE(end - TAIL), 0x85ebca6b) ^ imul(bytes.readInt32LE(end - 4), 0x9e3779b1)) >>> 12;

/** Thousands of texts at once, in a time that depends on the log alone: most places are passed over by what is before them. */
class Finder {
  #ends = new Uint8Array(SLOTS);
  #bySlot = new Map();

  constructor(secrets) {
    for (const secret of secrets.keys()) {
      const known = new Set();
      for (const { form, text } of formsOf(secret)) {
        if (known.has(text)) continue;
        known.add(text);
        const bytes = Buffer.from(text);
        const slot = slotOf(bytes, bytes.length);
        this.#ends[slot] = 1;
        const those = this.#bySlot.get(slot);
        if (those) those.push({ secret, form, bytes });
        else this.#bySlot.set(slot, [{ secret, form, bytes }]);
      }
    }
  }

  /** Each secret once. */
  find(log) {
    const found = new Map();
    for (let end = TAIL; end <= log.length; end++) {
      const slot = slotOf(log, end);
      if (this.#ends[slot] === 0) continue;
      for (const { secret, form, bytes } of this.#bySlot.get(slot)) {
        const at = end - bytes.length;
        if (at < 0 || found.has(secret) || !bytes.equals(log.subarray(at, end))) continue;
        found.set(secret, { secret, form, at });
      }
    }
    return found.values();
  }
}

module.exports = { VARIABLE, SHORTEST, keepLogs, addSecret, addLog, scan };
