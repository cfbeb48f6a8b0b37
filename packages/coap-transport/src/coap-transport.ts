import type { Core } from '@tandem/core';
import { DeviceSide } from './device-side';
import { openSocket } from './open-socket';
import { type CoapTransport, serve } from './serve';

/**
 * Plain CoAP on its own socket; serves from now on.
 * @param device one of its own where left out
 * @param descriptor see `openSocket`
 * @throws Error in one line when the port cannot be bound
 */
export async function createCoapTransport(
  core: Core,
  device = new DeviceSide(core),
  descriptor?: number,
): Promise<CoapTransport> {
  const socket = await openSocket(core, 'COAP', descriptor);
  return serve(core, socket, device, 'coap', core.settings.TANDEM_COAP_SOURCE_DATAGRAMS);
}
