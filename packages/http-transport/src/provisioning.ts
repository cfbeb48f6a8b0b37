import { type Core, readProvision, TandemError, type WrittenMessage } from '@tandem/core';
import type { Exchange } from './exchange';

/**
 * Provisioning over HTTP (contract 5): whoever sends it is a stranger, and a failure is an answer like success.
 * @throws TandemError BODY_REQUIRED, BAD_PAYLOAD, TOO_MANY_REQUESTS, STORE_UNAVAILABLE
 */
export async function provision(
  { provisioning, formats, callers }: Core,
  { request: { headers, socket } }: Exchange,
  body: Buffer,
): Promise<WrittenMessage> {
  if (body.length === 0) throw new TandemError('BODY_REQUIRED');
  const { request, render } = readProvision(body, { protobuf: false });
  const caller = { remoteAddress: socket.remoteAddress, forwardedFor: String(headers['x-forwarded-for'] ?? '') };
  // A connection was opened from there, or a proxy that is trusted says so.
  const address = callers.addressOf(caller);
  // One that ended its side looks like one that is gone: a name must not be used up for nobody.
  const gone = () => socket.destroyed || socket.readableEnded;
  const source = { address, proved: true, gone };
  return { payload: render(await provisioning.provision(request, source)), format: formats.json };
}
