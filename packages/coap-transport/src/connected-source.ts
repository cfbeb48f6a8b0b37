import type { ObservationSource } from './endpoint/index';

/**
 * An observation as a session of its device, from the registration's answer until it is over.
 * @param open begins a session and returns what ends it
 */
export function asSession(source: ObservationSource, open: () => () => void): ObservationSource {
  let close: (() => void) | undefined;
  return {
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
