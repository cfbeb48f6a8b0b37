export { compactFolder } from './compact';
export type { Durability } from './environment';
export { abstractName, FolderInUseError, folderIsOpen } from './folder-lock';
export { boundsOf, DiskFullError, type EmbeddedOptions, openEmbeddedState } from './state';
export { storedKeyProofs } from './stored-key-proofs';
