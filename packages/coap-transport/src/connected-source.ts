import type { Uuid } from '@tandem/core';
import type { ObservationSource } from './endpoint/index';

/**
 * An observation as a session of its device, from the registration's answer until it is over.
 * @param deviceId named in log lines
 * @param open begins a session and returns what ends it
 */
export function asSession(source: ObservationSource, deviceId: Uuid, open: () => () => void): ObservationSource {
  let close: (() => void) | undefined;
  return {
    about: { deviceId },
    attach(relation) {
      close = open();
      source.attach(relation);
    },
    next: () => source.next(),
    closed(reason) {
      close?.();
      source.closed(reason);
    },
  };
}
