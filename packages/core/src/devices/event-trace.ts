import { linkNow, RunningSpan, traceNow, tracing, within } from '../platform/tracing';
import type { ObservedKind } from '../state/device-events';
import type { Uuid } from './model';

/** What the traces call that which is told to devices. */
const about = (kind: ObservedKind, operation: string, deviceId: Uuid) => ({
  'messaging.system': 'tandem',
  'messaging.operation.name': operation,
  'messaging.destination.name': kind,
  'tandem.device.id': deviceId,
});

/**
 * Runs the step that tells a device something, by an event in its log or a command.
 * @param append is given the `traceparent` to keep with it, by which whoever delivers it, in whatever process, goes on in the
 * same trace; undefined where nothing is traced
 */
export function send<T>(
  kind: ObservedKind,
  deviceId: Uuid,
  append: (trace: string | undefined) => Promise<T>,
): Promise<T> {
  if (traceNow() === undefined) return append(undefined);
  const attributes = { ...about(kind, 'send', deviceId), 'messaging.operation.type': 'send' };
  return within({ name: `send ${kind}`, kind: 'PRODUCER', attributes }, () => append(traceNow()));
}

/** What the device answers to a command, in the trace of the command as well. */
export function answer<T>(deviceId: Uuid, command: string | undefined, write: () => Promise<T>): Promise<T> {
  if (!tracing.on || command === undefined) return write();
  const request = traceNow();
  linkNow(command);
  const attributes = { ...about('rpc', 'answer', deviceId), 'messaging.operation.type': 'process' };
  const links = request === undefined ? [] : [request];
  return within({ name: 'answer rpc', kind: 'CONSUMER', attributes, parent: command, links }, write);
}

/** How what is delivered got to the device. */
export type Delivered = 'written' | 'delivered' | 'not delivered';

/** Something on its way to a device: from the moment it was found to that when the device has it, or has not. */
export class Delivery {
  readonly #span: RunningSpan;

  private constructor(span: RunningSpan) {
    this.#span = span;
  }

  /**
   * @param traces with which it was sent, oldest first: the delivery belongs to the newest, and is linked to the others
   * @param request the request of the device that it answers
   * @returns undefined where nothing is traced, or not this
   */
  static of(
    kind: ObservedKind,
    deviceId: Uuid,
    protocol: 'http' | 'coap',
    traces: readonly string[] | undefined,
    request?: string,
  ): Delivery | undefined {
    const parent = traces?.at(-1);
    if (!tracing.on || traces === undefined || parent === undefined) return undefined;
    const attributes = {
      ...about(kind, 'deliver', deviceId),
      'messaging.operation.type': 'process',
      'network.protocol.name': protocol,
    };
    const links = [...traces.slice(0, -1), ...(request === undefined ? [] : [request])];
    return new Delivery(new RunningSpan({ name: `deliver ${kind}`, kind: 'CONSUMER', attributes, parent, links }));
  }

  /** What the step writes of it is part of it. */
  run<T>(step: () => T): T {
    return this.#span.run(step);
  }

  end(how: Delivered): void {
    this.#span.set('tandem.delivered', how);
    this.#span.end(how === 'not delivered' ? 'not_delivered' : undefined);
  }
}

/**
 * The traces that a waiter has to go on in, where any is kept with what it is about to deliver.
 * @param isTold which of them that is
 */
export function tracesOf<T extends { readonly trace?: string }>(
  sent: readonly T[],
  isTold: (one: T) => boolean = () => true,
): readonly string[] | undefined {
  if (!tracing.on) return undefined;
  const traces = sent.filter(isTold).flatMap(({ trace }) => trace ?? []);
  return traces.length > 0 ? traces : undefined;
}
