import { endedBy, inNoTrace, RunningSpan, traceNow } from '../platform/tracing';
import type { State } from './state';

/** Ports whose calls are steps of requests. */
const PORTS = [
  'accounts',
  'devices',
  'claims',
  'attributes',
  'events',
  'telemetryLog',
  'telemetryView',
  'rpcs',
  'rateCounters',
  'failures',
  'activity',
  'firmware',
  'rollouts',
  'feed',
] as const satisfies readonly (keyof State)[];

/**
 * A store whose calls are spans of the request that makes them: their names, and nothing of what is read or written. To be put
 * around it only where something is traced. What no request does leaves no spans.
 * @param system `redis` or `lmdb`
 */
export function tracedState(state: State, system: string): State {
  return { ...state, ...Object.fromEntries(PORTS.map((name) => [name, tracedPort(state[name], name, system)])) };
}

type Method = (...args: unknown[]) => unknown;
type Listener = (...args: never[]) => unknown;

function tracedPort(port: object, name: string, system: string): object {
  const methods = new Map<string | symbol, Method>();
  return new Proxy(port, {
    get(target, property) {
      const known = methods.get(property);
      if (known) return known;
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      const method = ((...args) => member.apply(target, args)) as Method;
      const traced = property === 'watch' ? watching(method) : steps(method, `${name}.${String(property)}`, system);
      methods.set(property, traced);
      return traced;
    },
  });
}

/** Who is woken by a write goes on in its own name, and not in that of the writer. */
const watching =
  (watch: Method): Method =>
  (deviceId, listener) =>
    watch(deviceId, inNoTrace(listener as Listener));

function steps(method: Method, operation: string, system: string): Method {
  const attributes = { 'db.system.name': system, 'db.operation.name': operation };
  return (...args) => {
    if (traceNow() === undefined) return method(...args);
    const span = new RunningSpan({ name: operation, kind: 'CLIENT', attributes });
    const result = span.run(() => method(...args));
    // What answers at once took no time of the store: a span that is not ended goes nowhere.
    return result instanceof Promise ? endedBy(span, result) : result;
  };
}
