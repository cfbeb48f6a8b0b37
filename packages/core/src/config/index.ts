export * from './payload-limits';
export * from './read-settings';
export * from './setting';
export * from './settings';
