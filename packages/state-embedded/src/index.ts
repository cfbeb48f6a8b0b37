export type { Durability } from './environment';
export { FolderInUseError } from './folder-lock';
export { DiskFullError, type EmbeddedOptions, openEmbeddedState } from './state';
