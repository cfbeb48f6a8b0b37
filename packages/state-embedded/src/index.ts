export type { Durability } from './environment';
export { FolderInUseError } from './folder-lock';
export { type EmbeddedOptions, openEmbeddedState } from './state';
