import type { Uuid } from '@tandem/core';
import type { Keys } from '../keys';

/** The keys of one device's connectivity, all in its slot; who deletes the device deletes `activity`, a hash. */
export function activityKeys(keys: Keys, deviceId: Uuid) {
  return {
    /** Says whether the device is there. */
    log: keys.device(deviceId, 'log'),
    activity: keys.device(deviceId, 'activity'),
    /** What a user sees. */
    attributes: keys.device(deviceId, 'attr:v'),
    feed: keys.feedChannel(deviceId),
  };
}
