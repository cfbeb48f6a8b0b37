import type { ParsedPacket } from 'coap-packet';
import type { CoapRequest, CoapResponse } from '../../../packages/coap-transport/src/endpoint/index';
import type { EndpointSettings } from '../../../packages/coap-transport/src/endpoint/settings';
import {
  type ClientRequest,
  type FakeClient,
  kind,
  option,
} from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
import { Harness } from '../../../packages/coap-transport/src/endpoint/testing/harness';

export {
  type FakeClient,
  kind,
  option,
  optionBytes,
  uint,
} from '../../../packages/coap-transport/src/endpoint/testing/fake-client';
export { FakeSource } from '../../../packages/coap-transport/src/endpoint/testing/fake-source';
export { Harness } from '../../../packages/coap-transport/src/endpoint/testing/harness';

/** The value of a Block option as the RFC writes it: number/more/size in bytes. */
export function block(number: number, more: boolean, size: number): number {
  return (number << 4) | (more ? 8 : 0) | Math.log2(size / 16);
}

/** Bytes that differ from place to place, and from salt to salt. */
export const bytes = (length: number, salt = 0): Buffer =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + salt) % 251));

/** Block numbers of a body that begins like this and has this many bytes: `[number, more, its bytes]`. */
export function blocksOf(body: Buffer, size: number): [number, boolean, Buffer][] {
  const count = Math.max(1, Math.ceil(body.length / size));
  return Array.from({ length: count }, (_, number) => [
    number,
    number < count - 1,
    body.subarray(number * size, (number + 1) * size),
  ]);
}

/** `'ACK 2.31 1:0/1/128'` */
export function said(packet: ParsedPacket): string {
  const blocks = [2, 1].flatMap((which) => {
    const value = option(packet, `Block${which}`);
    return value === undefined ? [] : [`${which}:${value >> 4}/${(value >> 3) & 1}/${16 << (value & 7)}`];
  });
  return [kind(packet), ...blocks].join(' ');
}

export interface Talk extends Harness {
  /** The requests that reached the handler. */
  readonly handled: CoapRequest[];
  /** Sends a request, each with a token of its own, and returns what answers it. */
  ask(request: ClientRequest, client?: FakeClient): Promise<ParsedPacket>;
  /** A POST of one block. */
  post(number: number, more: boolean, payload: Buffer, size: number, request?: ClientRequest): Promise<string>;
  /** A GET of one block: the answer. */
  get(number: number, size: number, request?: ClientRequest): Promise<ParsedPacket>;
}

export function talk(
  respond: (request: CoapRequest) => CoapResponse | Promise<CoapResponse> = () => ({ code: '2.04' }),
  settings: Partial<EndpointSettings> = {},
): Talk {
  const handled: CoapRequest[] = [];
  const harness = new Harness((request) => {
    handled.push(request);
    return respond(request);
  }, settings);
  let tokens = 0;
  const ask: Talk['ask'] = async (request, client = harness.client) => {
    client.request({ token: Buffer.from([tokens++ & 255]), ...request });
    await harness.clock.advance(10);
    return client.last;
  };
  const post: Talk['post'] = async (number, more, payload, size, request = {}) =>
    said(await ask({ code: 'POST', block1: block(number, more, size), payload, ...request }));
  const get: Talk['get'] = (number, size, request = {}) => ask({ block2: block(number, false, size), ...request });
  return Object.assign(harness, { handled, ask, post, get });
}

/** The bodies that reached the handler. */
export const bodies = ({ handled }: Talk): Buffer[] => handled.map(({ payload }) => payload);
