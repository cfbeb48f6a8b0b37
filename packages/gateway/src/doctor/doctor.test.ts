import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keysInUse, makeSecretBox, readSettings, systemRandom } from '@tandem/core';
import { Pki } from '../../../../test/security/pki';
import { openRoot } from '../../../state-embedded/src/environment';
import { type RedisServer, startRedis } from '../../../state-redis/src/testing/redis-server';
import { type Diagnosis, examine, isWell, render } from './doctor';
import { checkMachine } from './machine';
import { checkNode } from './node-version';

const SECRET = 'open-sesame-7';

let folder: string;
let pki: Pki;
let redis: RedisServer;
/** A TCP and a UDP port that this process has, and one that nobody has. */
let taken: { tcp: number; udp: number };
let closed: number;
const open: { close(): unknown }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-doctor-'));
  pki = new Pki(join(folder));
  redis = await startRedis({ appendonly: 'everysec', password: SECRET });
  const [server, other, socket] = [createServer().listen(0), createServer().listen(0), createSocket('udp4').bind(0)];
  await Promise.all([server, other, socket].map((one) => once(one, 'listening')));
  open.push(server, socket);
  taken = { tcp: (server.address() as AddressInfo).port, udp: socket.address().port };
  closed = (other.address() as AddressInfo).port;
  other.close();
  writeFileSync(join(folder, 'a-file'), 'nothing');
  mkdirSync(join(folder, 'with-password'));
  writeFileSync(join(folder, 'with-password', 'initial-admin-password'), `${SECRET}\n`);
  writeFileSync(join(folder, 'keys'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  chmodSync(join(folder, 'keys'), 0o644);
  writeFileSync(join(folder, 'codec.cjs'), 'module.exports = { name: 7 };');
});
afterAll(async () => {
  for (const one of open) one.close();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

/** What keeps the tests off the ports of others. */
const HERE = { HTTP_BIND_PORT: '0', COAP_BIND_PORT: '0', COAP_DTLS_BIND_PORT: '0', TANDEM_METRICS_PORT: '0' };

const doctor = (settings: Record<string, string>): Promise<Diagnosis> =>
  examine({ TANDEM_DATA_DIR: join(folder, 'data'), ...HERE, ...settings }, undefined);

/** Of those that are not `ok` the level, and everything it says. */
const complaints = ({ findings }: Diagnosis): string[] =>
  findings
    // About this machine, whatever it is like.
    .filter(({ level, about }) => level !== 'ok' && about !== 'open files' && about !== 'UDP receive buffer')
    .map(({ level, about, text, advice }) => `${level} ${about}: ${text} -> ${advice}`);

type Case = readonly [what: string, settings: () => Record<string, string>, ...expected: readonly RegExp[]];

const CASES: readonly Case[] = [
  ['nothing is wrong', () => ({})],
  [
    'settings are malformed and misspelt: all of them at once, with what they mean and where they are from',
    () => ({ HTTP_BIND_PORT: '80a', TANDEM_ROLE: 'http', COAP_BIND_PROT: '1' }),
    /^fail settings: TANDEM_ROLE is not a setting; the nearest is TANDEM_ROLES -> It is set in the environment\. TANDEM_ROLES: Which parts/,
    /^fail settings: HTTP_BIND_PORT must be a whole number .* not "80a" -> .*\(unset: 8080\)\.$/,
    /^warn settings: COAP_BIND_PROT in the environment is no setting.* -> If COAP_BIND_PORT is meant/,
  ],
  [
    'a port is taken: who has it',
    () => ({ HTTP_BIND_PORT: String(taken.tcp), COAP_BIND_PORT: String(taken.udp) }),
    new RegExp(
      `^fail HTTP_BIND_PORT \\d+: is taken by process ${process.pid} \\(.*\\) -> Stop that one, or set HTTP_BIND_PORT`,
    ),
    new RegExp(
      `^fail COAP_BIND_PORT \\d+: is taken by process ${process.pid} \\(.*\\) -> Stop that one, or set COAP_BIND_PORT`,
    ),
  ],
  [
    'two doors have one port',
    () => ({ HTTP_BIND_PORT: String(closed), TANDEM_METRICS_PORT: String(closed) }),
    /^fail settings: HTTP_BIND_PORT and TANDEM_METRICS_PORT must not be one port, .* -> It is set in the environment/,
  ],
  [
    'an address is not one of this machine',
    () => ({ HTTP_BIND_ADDRESS: '192.0.2.1', HTTP_BIND_PORT: String(closed) }),
    /^fail HTTP_BIND_PORT \d+: 192\.0\.2\.1 is no address of this machine .* -> Set HTTP_BIND_ADDRESS/,
  ],
  [
    'nobody is where Redis should be, and the password is not shown',
    () => ({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${closed}` }),
    /^fail REDIS_URL 127\.0\.0\.1:\d+: .*refuses the connection.* -> Start Redis there/,
  ],
  [
    'Redis takes another password',
    () => ({ REDIS_URL: `redis://:${SECRET}x@127.0.0.1:${redis.port}` }),
    /^fail REDIS_URL .*refuses the user name or the password.* -> Put it right in REDIS_URL/,
  ],
  [
    'Redis speaks no TLS',
    () => ({ REDIS_URL: `rediss://:${SECRET}@127.0.0.1:${redis.port}` }),
    /^fail REDIS_URL .*TLS.* -> redis:\/\/ speaks without TLS, rediss:\/\/ with it/,
  ],
  [
    'Redis does not keep what TANDEM_DURABILITY promises',
    () => ({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}`, TANDEM_DURABILITY: 'power' }),
    /^fail REDIS_URL .*appendfsync everysec.* -> In redis\.conf: appendonly yes/,
  ],
  [
    'the first password has no place beside Redis',
    () => ({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}`, TANDEM_DATA_DIR: join(folder, 'a-file') }),
    /^warn TANDEM_DATA_DIR .*is a file and not a folder -> .*or set TANDEM_ADMIN_PASSWORD/,
  ],
  ['Redis is as it should be', () => ({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}` })],
  [
    'the data folder is a file',
    () => ({ TANDEM_DATA_DIR: join(folder, 'a-file') }),
    /^fail TANDEM_DATA_DIR .*is a file and not a folder/,
  ],
  [
    'the data folder is below a file',
    () => ({ TANDEM_DATA_DIR: join(folder, 'a-file', 'data') }),
    /^fail TANDEM_DATA_DIR .*cannot be made: .*a-file is a file/,
  ],
  [
    'the data folder is where nothing can be kept',
    () => ({ TANDEM_DATA_DIR: '/proc/tandem/data' }),
    /^fail TANDEM_DATA_DIR .*cannot be made: \/proc belongs to the system/,
  ],
  [
    'the disk is too small',
    () => ({ TANDEM_DATA_MIN_FREE_BYTES: String(2 ** 50) }),
    /^fail disk of the data folder: .* MiB free, less than TANDEM_DATA_MIN_FREE_BYTES/,
  ],
  [
    'a certificate is without its key',
    () => ({ SSL_ENABLED: 'true', SSL_PEM_CERT: pki.server.certificateFile, SSL_PEM_KEY: join(folder, 'none') }),
    /^fail certificate of https: SSL_PEM_KEY: .*none cannot be read, and there is no key in .* -> See SSL_PEM_CERT and SSL_PEM_KEY/,
  ],
  [
    'a key is that of another certificate',
    () => ({ SSL_ENABLED: 'true', SSL_PEM_CERT: pki.server.certificateFile, SSL_PEM_KEY: pki.client.keyFile }),
    /^fail certificate of https: SSL_PEM_CERT: .*is not the certificate of the key in/,
  ],
  [
    'a certificate has expired',
    () => ({
      SSL_ENABLED: 'true',
      SSL_PEM_CERT: pki.expiredServer.certificateFile,
      SSL_PEM_KEY: pki.expiredServer.keyFile,
    }),
    /^warn certificate of https: "CN=expired-server" has expired on .*: the start is not held up, but clients refuse it -> Renew it/,
  ],
  [
    'a certificate expires soon',
    () => {
      const period = [-1, 20].map((days) =>
        new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, ''),
      );
      const [from = '', until = ''] = period;
      const { certificateFile, keyFile } = pki.root.issue('soon', { extensions: 'server', period: [from, until] });
      return { SSL_ENABLED: 'true', SSL_PEM_CERT: certificateFile, SSL_PEM_KEY: keyFile };
    },
    /^warn certificate of https: "CN=soon" expires in 19 days, on .* -> Renew it/,
  ],
  [
    'a certificate of DTLS is to be made up',
    () => ({ TANDEM_ROLES: 'coaps,api', TANDEM_COAP_DTLS_SELF_SIGNED: 'true' }),
    /^warn certificate of coaps: the start makes one up, .*coaps-self-signed.pem: nobody vouches for it -> Name one/,
  ],
  [
    'all is well with certificates, also of DTLS',
    () => ({
      SSL_ENABLED: 'true',
      SSL_PEM_CERT: pki.serverOfIntermediate.chainFile,
      SSL_PEM_KEY: pki.serverOfIntermediate.keyFile,
      COAP_DTLS_ENABLED: 'true',
      COAP_DTLS_PEM_CERT: pki.server.certificateFile,
      COAP_DTLS_PEM_KEY: pki.server.keyFile,
    }),
  ],
  [
    'secrets are where others can read them',
    () => ({ TANDEM_SECRET_KEY_FILE: join(folder, 'keys'), TANDEM_DATA_DIR: join(folder, 'with-password') }),
    /^warn TANDEM_SECRET_KEY_FILE: .*keys: others than its owner can read the key file.* -> chmod 600/,
    /^warn administrator: .*initial-admin-password still has the first password -> Log in as tenant@thingsboard\.org/,
  ],
  [
    'logins are those of the demo, a codec is none, and a webhook is away',
    () => ({
      TANDEM_DEMO: 'true',
      TANDEM_PAYLOAD_CODECS: join(folder, 'codec.cjs'),
      TANDEM_RPC_WEBHOOK_URL: `http://user:${SECRET}@127.0.0.1:${closed}/hook`,
    }),
    /^warn TANDEM_DEMO: makes logins whose passwords everybody knows/,
    /^fail TANDEM_PAYLOAD_CODECS: .*codec\.cjs: its default export/,
    /^warn TANDEM_RPC_WEBHOOK_URL 127\.0\.0\.1:\d+: cannot be reached from here: ECONNREFUSED/,
  ],
];

describe('The doctor', () => {
  it.each(CASES.map(([what, settings, ...expected]) => ({ what, settings, expected })))(
    'says so when $what',
    async ({ settings, expected }) => {
      const diagnosis = await doctor(settings());
      expect(complaints(diagnosis)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
      expect(isWell(diagnosis)).toBe(!expected.some((pattern) => pattern.source.startsWith('^fail')));
      const printed = render(diagnosis) + JSON.stringify(diagnosis);
      expect(printed).not.toContain(SECRET);
      expect(printed).not.toMatch(/PRIVATE KEY|(?:ab){16}/);
    },
  );

  describe('of a store whose secrets are encrypted', () => {
    const [right, wrong, retired] = ['right', 'wrong', 'right-and-wrong'];
    const data = () => join(folder, 'sealed');
    const keys = (name: string) => ({ TANDEM_SECRET_KEY_FILE: join(folder, name) });
    const inRedis = () => ({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}`, TANDEM_ADMIN_PASSWORD: SECRET });
    beforeAll(async () => {
      const proof = keysInUse(makeSecretBox([Buffer.alloc(32, 7)], systemRandom), undefined) ?? '';
      writeFileSync(join(folder, right), `${'07'.repeat(32)}\n`, { mode: 0o600 });
      writeFileSync(join(folder, wrong), `${'08'.repeat(32)}\n`, { mode: 0o600 });
      writeFileSync(join(folder, retired), `${'08'.repeat(32)}\n${'07'.repeat(32)}\n`, { mode: 0o600 });
      const { root, table } = openRoot(data(), 'none');
      await table('meta').put('keys', proof);
      await root.close();
      await redis.cli('HSET', 'tandem:{registry}:meta', 'keys', proof);
    });
    afterAll(() => redis.cli('DEL', 'tandem:{registry}:meta'));

    it.each([
      ['folder', () => ({ TANDEM_DATA_DIR: data() })],
      ['Redis', inRedis],
    ])('in a %s says whether the key fits', async (_, store) => {
      const before = existsSync(data()) && readdirSync(data());
      expect(complaints(await doctor({ ...store(), ...keys(wrong) }))).toEqual([
        expect.stringMatching(
          /^fail keys of the store: Secrets in the store are encrypted with another key: \w+ is not/,
        ),
      ]);
      expect(complaints(await doctor(store()))).toEqual([
        expect.stringMatching(/^fail keys of the store: The secrets in the store are encrypted: name the file/),
      ]);
      expect(complaints(await doctor({ ...store(), ...keys(right) }))).toEqual([]);
      expect(complaints(await doctor({ ...store(), ...keys(retired) }))).toEqual([]);
      expect(readdirSync(data())).toEqual(before);
    });
  });

  it('does not take the first password of a folder that is not used for one of Redis', async () => {
    const unused = join(folder, 'unused');
    mkdirSync(unused);
    writeFileSync(join(unused, 'initial-admin-password'), 'not-used-any-more');
    const settings = { REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}`, TANDEM_DATA_DIR: unused };
    expect(complaints(await doctor(settings))).toHaveLength(1);
    expect(complaints(await doctor({ ...settings, TANDEM_ADMIN_PASSWORD: SECRET }))).toEqual([]);
    writeFileSync(join(unused, 'data.mdb'), '');
    expect(complaints(await doctor(settings))).toEqual([]);
  });

  it('leaves nothing behind: no folder, no key in Redis', async () => {
    const before = readdirSync(folder);
    await doctor({});
    await doctor({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}` });
    expect(readdirSync(folder)).toEqual(before);
    expect(await redis.cli('DBSIZE')).toMatch(/\b0$/);
  });

  it('says what Redis is like', async () => {
    const { findings } = await doctor({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${redis.port}` });
    expect(findings.find(({ about }) => about.startsWith('REDIS_URL'))?.text).toMatch(
      /^Redis \d+\.\S+, one server, appendonly yes, appendfsync everysec, maxmemory-policy noeviction, [\d.]+ ms away$/,
    );
  });

  it('looks at nothing else while the settings are wrong, and says so', async () => {
    const diagnosis = await doctor({ SSL_ENABLED: 'yes' });
    expect(diagnosis.complete).toBe(false);
    expect(render(diagnosis)).toMatch(
      /\n1 in the way of tandem serve\. Nothing else was looked at: put the settings right/,
    );
  });

  it.each([
    ['18.20.1', 'fail'],
    ['20.11.9', 'fail'],
    ['20.12.0', 'ok'],
    ['23.1.0', 'warn'],
    ['24.0.0', 'ok'],
  ])('finds Node.js %s: %s', (version, level) => {
    expect(checkNode(version).level).toBe(level);
  });

  it('says what a small machine does not grant', () => {
    const files: Record<string, string> = {
      '/proc/self/limits':
        'Limit   Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files\n',
      '/proc/sys/net/core/rmem_max': '212992\n',
    };
    expect(checkMachine(readSettings({}), (file) => files[file])).toEqual([
      expect.objectContaining({
        level: 'warn',
        advice: expect.stringContaining('TANDEM_HTTP_MAX_CONNECTIONS to 3596'),
      }),
      expect.objectContaining({
        level: 'warn',
        advice: expect.stringContaining('sysctl -w net.core.rmem_max=4194304'),
      }),
    ]);
  });
});
