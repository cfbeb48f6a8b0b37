import { accessSync, constants, existsSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Settings } from '@tandem/core';
import { folderIsHeld, ownerOfFolder } from './data-folder-owner';
import { type Finding, fail, ok, warn } from './finding';
import type { RunningGateway } from './running-gateway';
import { nameOf } from './sockets';

/** With less than this times what has to stay free, somebody should know. */
const SOON = 8;

/** The folder of the embedded store: whether it is there or can be made, written to, large enough, and nobody else's. */
export async function checkDataFolder(settings: Settings, running: RunningGateway | undefined): Promise<Finding[]> {
  const folder = resolve(settings.TANDEM_DATA_DIR);
  const about = `TANDEM_DATA_DIR ${folder}`;
  const there = statsOf(folder);
  if (there === 'hidden') {
    return [
      fail(
        about,
        'may not be looked at by this user, nor what is above it',
        'Run the doctor as the user who runs the gateway.',
      ),
    ];
  }
  if (!there) return checkParent(folder, about, settings);
  if (!there.isDirectory())
    return [fail(about, 'is a file and not a folder', 'Name a folder, or one that is to be made.')];
  const held = await folderIsHeld(folder);
  if (!may(folder, constants.R_OK | constants.W_OK | constants.X_OK)) {
    return [held ? heldByOthers(about, there) : notWritable(folder, about, there)];
  }
  const holder = held ? heldBy(folder, about, running) : ok(about, 'is there, and no process has it open');
  const spoilt = ['data.mdb', join('log', 'data.mdb')].filter((name) => {
    const file = join(folder, name);
    return existsSync(file) && !may(file, constants.R_OK | constants.W_OK);
  });
  if (spoilt.length > 0 && held) return [heldByOthers(about, there)];
  if (spoilt.length > 0) {
    const owner = `chown -R ${process.getuid?.() ?? '<user>'} ${folder}`;
    return [fail(about, `${spoilt.join(' and ')} in it may not be written by this user`, `As root: ${owner}`)];
  }
  return [holder, checkRoom(folder, settings)];
}

/** With Redis the folder holds no more than a first password that is made up. */
export async function checkPasswordFolder(settings: Settings): Promise<Finding[]> {
  const { REDIS_URL, TANDEM_ADMIN_PASSWORD, TANDEM_ROLES } = settings;
  if (!REDIS_URL || TANDEM_ADMIN_PASSWORD !== undefined || !TANDEM_ROLES.includes('api')) return [];
  const found = await checkDataFolder({ ...settings, TANDEM_DATA_MIN_FREE_BYTES: 1 }, undefined);
  return found
    .filter(({ level }) => level === 'fail')
    .map(({ about, text }) =>
      warn(about, text, 'The first start on this Redis writes a password there: let it, or set TANDEM_ADMIN_PASSWORD.'),
    );
}

/** File systems that the kernel makes up, as `statfs` numbers them: proc, sysfs. */
const VIRTUAL: ReadonlySet<number> = new Set([0x9fa0, 0x62656572]);

function checkParent(folder: string, about: string, settings: Settings): Finding[] {
  let parent = dirname(folder);
  while (!existsSync(parent) && parent !== dirname(parent)) parent = dirname(parent);
  if (!statSync(parent).isDirectory()) {
    return [fail(about, `cannot be made: ${parent} is a file`, 'Name a folder whose parents are folders.')];
  }
  if (VIRTUAL.has(statfsSync(parent).type)) {
    return [fail(about, `cannot be made: ${parent} belongs to the system and keeps no files`, 'Name another folder.')];
  }
  if (!may(parent, constants.W_OK | constants.X_OK)) {
    return [
      fail(
        about,
        `is not there, and this user may not make it in ${parent}`,
        `As root: install -d -m 700 -o ${process.getuid?.() ?? '<user>'} ${folder}. Or name another folder.`,
      ),
    ];
  }
  return [ok(about, 'is not there yet; the first start makes it'), checkRoom(parent, settings)];
}

function notWritable(folder: string, about: string, { uid, mode }: Stats): Finding {
  const rights = (mode & 0o777).toString(8);
  const us = process.getuid?.();
  return fail(
    about,
    `may not be written: it belongs to user ${uid}, mode ${rights}${us === undefined ? '' : `, and this is user ${us}`}`,
    us === undefined || uid === us ? `chmod u+rwx ${folder}` : `As root: chown -R ${us} ${folder}`,
  );
}

/** Of a gateway that runs as somebody else: whose its files are must not change under it. */
function heldByOthers(about: string, { uid }: Stats): Finding {
  const us = process.getuid?.();
  return fail(
    about,
    `is in use by another process, and belongs to user ${uid}${us === undefined ? '' : `; this is user ${us}`}`,
    `Leave the folder as it is: a gateway runs on it. Ask as its user: sudo -u '#${uid}' tandem doctor. Or name another folder.`,
  );
}

function heldBy(folder: string, about: string, running: RunningGateway | undefined): Finding {
  // It was found to be that of these settings, or has another folder.
  if (running) return ok(about, 'is open in the gateway that runs');
  const owner = ownerOfFolder(folder);
  return fail(
    about,
    `is in use by ${owner ? nameOf(owner) : 'another process, perhaps in a container'}`,
    'One process owns a folder: stop that one, or name another folder. Several processes share a Redis: REDIS_URL.',
  );
}

function checkRoom(folder: string, { TANDEM_DATA_MIN_FREE_BYTES: min }: Settings): Finding {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const about = 'disk of the data folder';
  const text = `${megabytes(free)} free`;
  if (free < min) {
    return fail(
      about,
      `${text}, less than TANDEM_DATA_MIN_FREE_BYTES, ${megabytes(min)}: nothing would be written`,
      'Make room, or keep less: TS_KV_TTL, TANDEM_HISTORY_MAX.',
    );
  }
  if (free < SOON * min) {
    return warn(
      about,
      `${text}; below ${megabytes(min)} nothing is written`,
      'Make room soon, or keep less: TS_KV_TTL, TANDEM_HISTORY_MAX.',
    );
  }
  return ok(about, text);
}

const megabytes = (bytes: number): string => `${Math.floor(bytes / (1 << 20)).toLocaleString('en')} MiB`;

/** Undefined where nothing is. */
function statsOf(path: string): Stats | 'hidden' | undefined {
  try {
    return statSync(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'hidden' : undefined;
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
