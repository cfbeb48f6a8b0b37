import { type ParsedPacket, parse } from 'coap-packet';
import type { CoapRequest, CoapResponse } from '../../../packages/coap-transport/src/endpoint/index';
import type { EndpointSettings } from '../../../packages/coap-transport/src/endpoint/settings';
import { type FakeClient, kind } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { Harness } from '../../../packages/coap-transport/src/endpoint/testing/harness';

export type { FakeClient } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
export { kind, option, optionBytes } from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
export { FakeSource } from '../../../packages/coap-transport/src/endpoint/testing/fake-source';
export { Harness } from '../../../packages/coap-transport/src/endpoint/testing/harness';

/** Bytes as the RFC writes them; blanks are for the reader. */
export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

export interface Conversation {
  /** `'ACK 2.05'` */
  readonly kinds: string[];
  readonly packets: ParsedPacket[];
  /** The requests that reached the handler. */
  readonly handled: CoapRequest[];
}

/** Sends one datagram (hexadecimal) and listens for ten seconds. */
export async function say(
  datagram: string,
  response: CoapResponse = { code: '2.05', payload: 'x' },
): Promise<Conversation> {
  const handled: CoapRequest[] = [];
  const harness = new Harness((request) => {
    handled.push(request);
    return response;
  });
  harness.client.send(hex(datagram));
  await harness.clock.advance(10_000);
  return { kinds: harness.client.received.map(kind), packets: harness.client.received, handled };
}

/** What each of some datagrams is answered with: `''` for silence. */
export async function replies(datagrams: readonly string[]): Promise<string[]> {
  const conversations = await Promise.all(datagrams.map((datagram) => say(datagram)));
  return conversations.map(({ kinds }) => kinds.join());
}

/** An endpoint whose handler takes `delay` to answer `late`, and which counts its calls. */
export function slow(delay: number, settings: Partial<EndpointSettings> = {}): Harness & { calls: number } {
  const harness = new Harness(() => {
    counting.calls++;
    return new Promise<CoapResponse>((resolve) =>
      harness.clock.setTimer(delay, () => resolve({ code: '2.05', payload: 'late' })),
    );
  }, settings);
  const counting = Object.assign(harness, { calls: 0 });
  return counting;
}

export interface Arrival {
  readonly at: number;
  readonly packet: ParsedPacket;
}

/** What arrives at a client that answers nothing, and when. */
export function watch(harness: Harness, client: FakeClient): Arrival[] {
  const arrivals: Arrival[] = [];
  client.socket.receive((datagram) => {
    arrivals.push({ at: harness.clock.monotonic(), packet: parse(datagram) });
  });
  return arrivals;
}

/** The waits between the arrivals of a Confirmable message and its repetitions. */
export function waits(arrivals: readonly Arrival[]): number[] {
  const times = arrivals.filter(({ packet }) => packet.confirmable).map(({ at }) => at);
  return times.slice(1).map((at, i) => at - (times[i] ?? 0));
}
