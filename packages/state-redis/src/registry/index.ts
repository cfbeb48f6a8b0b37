export { DeviceBirths } from './device-births';
export { RedisDevices } from './redis-devices';
export { Registry, type RegistryOptions } from './registry';
export type { WakeSource } from './wake-source';
