import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSettings } from '@tandem/core';
import { cleanUp, ROOT, temporaryFolder } from '../support/gateway-process';

const FOLDER = join(ROOT, 'deploy', 'systemd');
const text = (file: string) => readFileSync(join(FOLDER, file), 'utf8');
const unit = text('tandem.service');

/** What the unit says of a directive; the last counts. */
const said = (name: string) => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1];

/** The settings of the file, and with `all` those as well that are commented out. */
const settingsOf = (file: string, all = false) =>
  Object.fromEntries([...file.matchAll(all ? /^#?([A-Z_]+)=(.*)$/gm : /^([A-Z_]+)=(.*)$/gm)].map(([, k, v]) => [k, v]));

/** The unit, for the node and the folder of this test. */
function unitHere(folder: string): string {
  const file = join(folder, 'tandem.service');
  writeFileSync(file, unit.replaceAll('/usr/bin/node', process.execPath).replaceAll('/opt/tandem', ROOT));
  return file;
}

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;
const whereSystemdIs = hasSystemd ? it : it.skip;

afterAll(cleanUp);

describe('The systemd unit', () => {
  whereSystemdIs('is as systemd wants it', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', unitHere(temporaryFolder())], {
      encoding: 'utf8',
    });
    // Of units of this machine it may complain as well.
    expect([status, stderr.match(/^.*tandem.*$/gm)]).toEqual([0, null]);
  });

  whereSystemdIs('exposes little of the machine, as systemd counts it: at most 1.5 of 10', () => {
    const args = ['security', '--offline=yes', '--threshold=15', unitHere(temporaryFolder())];
    const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    expect([status, stdout.match(/exposure level.*/)?.[0]]).toEqual([0, expect.stringContaining('OK')]);
  });

  it('starts the gateway again however it ended, but for a stop in order', () => {
    expect([said('Restart'), said('StartLimitIntervalSec'), said('KillSignal')]).toEqual([
      'on-failure',
      '0',
      'SIGTERM',
    ]);
    expect(Number.parseInt(said('TimeoutStopSec') ?? '', 10)).toBeGreaterThan(10);
  });

  it('leaves it the means that it wants: open files for its connections, addresses, memory that is compiled into', () => {
    const { TANDEM_HTTP_MAX_CONNECTIONS } = readSettings({});
    expect(Number(said('LimitNOFILE'))).toBeGreaterThan(TANDEM_HTTP_MAX_CONNECTIONS);
    expect(said('RestrictAddressFamilies')?.split(' ').sort()).toEqual([
      'AF_INET',
      'AF_INET6',
      'AF_NETLINK',
      'AF_UNIX',
    ]);
    expect(said('MemoryDenyWriteExecute')).toBeUndefined();
  });

  it('comes with settings that the gateway starts with, also those that are commented out', () => {
    const settings = readSettings({}, settingsOf(text('tandem.env')));
    expect(settings.TANDEM_DATA_DIR).toBe(`/var/lib/${said('StateDirectory')}`);
    expect(readSettings({}, settingsOf(text('tandem.env'), true)).REDIS_URL).toBeDefined();
  });

  it('starts the gateway as a user without rights, who reads its settings and writes its data folder alone', async () => {
    const folder = temporaryFolder('/tmp');
    chmodSync(folder, 0o755);
    const data = join(folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    const env = join(folder, 'tandem.env');
    const ports = 'HTTP_BIND_PORT=0\nCOAP_BIND_PORT=0\nTANDEM_METRICS_PORT=0\n';
    const settings = text('tandem.env').replace('/var/lib/tandem', data);
    writeFileSync(env, settings.replace(/^(HTTP|COAP)_BIND_PORT=.*\n|^TANDEM_METRICS_PORT=.*\n/gm, '') + ports);
    const command = (said('ExecStart') ?? '')
      .replace('/opt/tandem', ROOT)
      .replace('/etc/tandem/tandem.env', env)
      .split(' ');
    // `nobody`, where these tests may become it, and it may read this folder.
    const user = process.getuid?.() === 0 && isOpenToAll(ROOT) ? { uid: 65_534, gid: 65_534 } : {};
    if (user.uid !== undefined) execFileSync('chown', ['65534:65534', data]);
    const child = spawn(process.execPath, command.slice(1), {
      ...user,
      cwd: data,
      env: {},
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await ready(child);
      expect(readFileSync(`/proc/${child.pid}/status`, 'utf8')).toMatch(user.uid ? /^Uid:\t65534/m : /^Uid:/m);
      expect(statSync(join(data, 'initial-admin-password')).mode & 0o777).toBe(0o600);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('has its user made by sysusers', () => {
    const [, name] = /^u (\S+) - /m.exec(text('tandem.sysusers.conf')) ?? [];
    expect([said('User'), said('Group')]).toEqual([name, name]);
    if (!hasSystemd) return;
    const root = temporaryFolder();
    mkdirSync(join(root, 'etc'));
    execFileSync('systemd-sysusers', [`--root=${root}`, join(FOLDER, 'tandem.sysusers.conf')], { stdio: 'ignore' });
    expect(readFileSync(join(root, 'etc', 'passwd'), 'utf8')).toMatch(/^tandem:.*:\/var\/lib\/tandem:.*nologin$/m);
  });
});

/** Whether any user can get there. */
const isOpenToAll = (path: string): boolean =>
  (statSync(path).mode & 0o005) === 0o005 && (path === '/' || isOpenToAll(dirname(path)));

/** Resolves when it says so. @throws Error when it ends before */
function ready(child: ChildProcess): Promise<void> {
  let log = '';
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (piece) => {
      log += String(piece);
      if (log.includes('"message":"ready"')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`it ended (${code}): ${log}`)));
  });
}
