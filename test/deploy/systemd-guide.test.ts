import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asOnPage, examplesOn } from '../page-examples/examples';
import { outputOf, Shell } from '../page-examples/shell';
import { cleanUp, ROOT, temporaryFolder } from '../support/gateway-process';

const EXAMPLES = examplesOn('docs/guides/systemd.md');

afterAll(cleanUp);

/**
 * What changes a machine is done below a folder: `/etc`, `/opt` and `/var/lib` are in there. Of what is called, users, services and
 * packages are left out, and noted down: those belong to this machine.
 */
it('The commands of the guide to systemd put everything where the unit looks for it', async () => {
  const machine = temporaryFolder();
  const bin = join(machine, 'bin');
  for (const folder of ['bin', 'home', 'opt', 'var/lib/tandem', 'etc/sysusers.d', 'etc/systemd/system'])
    mkdirSync(join(machine, folder), { recursive: true });
  const program = (name: string, lines: string) =>
    writeFileSync(join(bin, name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  const noted = (name: string) => program(name, `echo "${name} $*" >> '${join(machine, 'called')}'`);
  for (const name of ['systemctl', 'systemd-sysusers', 'npm']) noted(name);
  program('sudo', `[ "$1" = -u ] && shift 2\nexec "$@"`);
  writeFileSync(join(machine, 'var/lib/tandem/initial-admin-password'), 'made-up\n');
  const clone = join(machine, 'clone');
  execFileSync('git', ['clone', '-q', ROOT, clone]);
  // That of this state of the sources, and built.
  execFileSync('rm', ['-rf', join(clone, 'deploy')]);
  execFileSync('cp', ['-R', join(ROOT, 'deploy'), clone]);
  const shell = new Shell(clone, { PATH: `${bin}:${process.env.PATH}`, HOME: join(machine, 'home') });
  for (const { commands, output } of EXAMPLES) {
    const here = commands
      .replaceAll('/opt/tandem/packages', `${ROOT}/packages`)
      .replace(/(?<=[\s'])\/(?=(?:opt|etc|var\/lib)\/)/g, `${machine}/`)
      .replaceAll(' -g tandem', '')
      .replace('git clone', 'git clone -q')
      .replace('git pull', 'git pull -q');
    expect({ commands, printed: asOnPage(await outputOf(shell.run(here)), output) }).toEqual({
      commands,
      printed: output,
    });
  }
  await shell.close();
  expect(readdirSync(join(machine, 'etc/tandem'))).toEqual(['tandem.env']);
  expect(readFileSync(join(machine, 'etc/systemd/system/tandem.service'), 'utf8')).toContain('/etc/tandem/tandem.env');
  expect(readdirSync(join(machine, 'var/lib'))).toEqual(['tandem', 'tandem.before']);
  expect(readFileSync(join(machine, 'called'), 'utf8').trim().split('\n')).toEqual([
    'npm ci',
    'npm run build',
    'systemd-sysusers ',
    'systemctl daemon-reload',
    'systemctl enable --now tandem',
    'systemctl stop tandem',
    'npm ci',
    'npm run build',
    'systemctl start tandem',
  ]);
});
