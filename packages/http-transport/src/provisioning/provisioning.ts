import { type Core, PROTOBUF_MEDIA_TYPE, readProvision, saysProtobuf, TandemError } from '@tandem/core';
import type { Content, Exchange } from '../requests/exchange';

/**
 * Provisioning over HTTP (contract 5): whoever sends it is a stranger, and a failure is an answer like success. In JSON, and
 * in protobuf where its Content-Type says so: no profile is known that could.
 * @throws TandemError BODY_REQUIRED, BAD_PAYLOAD, TOO_MANY_REQUESTS, STORE_UNAVAILABLE
 */
export async function provision(
  { provisioning, formats, callers }: Core,
  exchange: Exchange,
  body: Buffer,
): Promise<Content> {
  if (body.length === 0) throw new TandemError('BODY_REQUIRED');
  const { framing } = exchange;
  const { socket } = exchange.request;
  const protobuf = saysProtobuf(framing.contentType);
  const { request, render } = readProvision(body, protobuf ? 'protobuf' : 'json');
  // A connection was opened from there, or a proxy that is trusted says so.
  const address = exchange.callerAddress(callers);
  // One that ended its side looks like one that is gone: a name must not be used up for nobody.
  const gone = () => socket.destroyed || socket.readableEnded;
  const source = { address, proved: true, gone };
  const format = protobuf ? { mediaType: PROTOBUF_MEDIA_TYPE } : formats.json;
  return { payload: render(await provisioning.provision(request, source)), format };
}
