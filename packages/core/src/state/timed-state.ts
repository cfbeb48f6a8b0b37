import type { Clock, Millis } from '../platform/clock';
import type { Counter, Histogram, LabelValue, MetricsRegistry } from '../platform/metrics';
import type { State } from './state';

type StoreOperation = LabelValue<'tandem_store_duration_seconds', 'operation'>;
type Timed<P> = { readonly [M in keyof P]?: StoreOperation };

const DEVICES: Timed<State['devices']> = {
  resolveCredentials: 'credentials_read',
  createDevice: 'device_write',
  updateDevice: 'device_write',
  deleteDevice: 'device_write',
};
const ATTRIBUTES: Timed<State['attributes']> = {
  read: 'attributes_read',
  snapshotShared: 'attributes_read',
  save: 'attributes_write',
  delete: 'attributes_write',
};
const EVENTS: Timed<State['events']> = { read: 'events_read', getCursor: 'events_read', setCursor: 'events_write' };
const LOG: Timed<State['telemetryLog']> = { append: 'telemetry_append' };
const VIEW: Timed<State['telemetryView']> = { latest: 'latest_read', history: 'history_read' };
const RPCS: Timed<State['rpcs']> = {
  create: 'rpc_write',
  open: 'rpc_read',
  get: 'rpc_read',
  transition: 'rpc_write',
  hold: 'rpc_write',
};
const LIMITS: Timed<State['rateCounters']> = { take: 'limit_take' };

/** A store whose operations are timed, and counted when they fail. To be put around it once, where it is opened. */
export function timedState(state: State, clock: Clock, metrics: MetricsRegistry): State {
  const meters = new Map<StoreOperation, Meter>();
  const meterOf = (operation: StoreOperation): Meter => {
    const known = meters.get(operation);
    if (known) return known;
    const made = {
      durations: metrics.histogram('tandem_store_duration_seconds', { operation }),
      failures: metrics.counter('tandem_store_failures_total', { operation }),
    };
    meters.set(operation, made);
    return made;
  };
  const timed = <P extends object>(port: P, operations: Timed<P>): P => timedPort(port, operations, meterOf, clock);
  return {
    ...state,
    devices: timed(state.devices, DEVICES),
    attributes: timed(state.attributes, ATTRIBUTES),
    events: timed(state.events, EVENTS),
    telemetryLog: timed(state.telemetryLog, LOG),
    telemetryView: timed(state.telemetryView, VIEW),
    rpcs: timed(state.rpcs, RPCS),
    rateCounters: timed(state.rateCounters, LIMITS),
  };
}

interface Meter {
  readonly durations: Histogram;
  readonly failures: Counter;
}
type Method = (...args: unknown[]) => unknown;

/** All members of a port as they are, bound to it, since a proxy would cost more than what is measured; some of them timed. */
function timedPort<P extends object>(
  port: P,
  operations: Timed<P>,
  meterOf: (operation: StoreOperation) => Meter,
  clock: Clock,
): P {
  const wrapper = {};
  const named: Readonly<Record<string, StoreOperation | undefined>> = operations;
  for (const name of membersOf(port)) {
    const member: unknown = Reflect.get(port, name);
    const operation = named[name];
    if (typeof member !== 'function') {
      Object.defineProperty(wrapper, name, { get: () => Reflect.get(port, name), enumerable: true });
    } else {
      const method: Method = member.bind(port);
      const time = operation === 'telemetry_append' ? timingTogether : timing;
      Object.assign(wrapper, { [name]: operation === undefined ? method : time(method, meterOf(operation), clock) });
    }
  }
  return wrapper as P;
}

function timing(method: Method, meter: Meter, clock: Clock): Method {
  return (...args) => {
    const begun = clock.monotonic();
    const answer = method(...args);
    if (answer instanceof Promise) timeUntil(answer, begun, meter, clock);
    return answer;
  };
}

/**
 * As `timing`, for what many calls are answered by at once: the messages of one commit are one operation, and all but the first of
 * them do not even look at the clock. It is read after the call, which does nothing but put the message to the others.
 */
function timingTogether(method: Method, meter: Meter, clock: Clock): Method {
  /** No more than there are commits under way. */
  const running = new Set<unknown>();
  return (entry) => {
    const answer = method(entry);
    if (running.has(answer) || !(answer instanceof Promise)) return answer;
    running.add(answer);
    timeUntil(answer, clock.monotonic(), meter, clock, () => running.delete(answer));
    return answer;
  };
}

function timeUntil(
  answer: Promise<unknown>,
  begun: Millis,
  { durations, failures }: Meter,
  clock: Clock,
  then?: () => void,
): void {
  const done = () => {
    durations.observe((clock.monotonic() - begun) / 1_000);
    then?.();
  };
  answer.then(done, () => {
    done();
    failures.add();
  });
}

function membersOf(port: object): Set<string> {
  const names = new Set<string>();
  for (let at: object | null = port; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') names.add(name);
  }
  return names;
}
