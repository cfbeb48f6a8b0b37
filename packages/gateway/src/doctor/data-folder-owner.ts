import { existsSync } from 'node:fs';
import { abstractName, folderIsOpen } from '@tandem/state-embedded';
import { type Owner, ownerOfAbstractSocket } from './sockets';

/** Whether a process has the data folder open; nothing is changed, and it need not be there. */
export const folderIsHeld = async (folder: string): Promise<boolean> => existsSync(folder) && folderIsOpen(folder);

/** Undefined where the system does not tell: on anything but Linux, in another container, or of other users' processes. */
export const ownerOfFolder = (folder: string): Owner | undefined =>
  process.platform === 'linux' ? ownerOfAbstractSocket(abstractName(folder)) : undefined;
