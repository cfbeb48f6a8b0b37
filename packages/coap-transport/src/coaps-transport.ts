import type { Core, TlsFiles, Watched } from '@tandem/core';
import { DeviceSide } from './device-side';
import { DtlsSocket } from './dtls/dtls-socket';
import { openSslEngine } from './dtls/openssl/context';
import { openSocket } from './open-socket';
import { type CoapTransport, serve } from './serve';

/**
 * CoAP over DTLS on its own socket; serves from now on.
 * @param files certificate and key of the server
 * @param device one of its own where left out
 * @throws DtlsUnavailable where there can be no DTLS; Error in one line when the certificate is none or the port cannot be bound
 */
export async function createCoapsTransport(
  core: Core,
  files: Watched<TlsFiles>,
  device = new DeviceSide(core),
): Promise<CoapTransport> {
  const { settings, clock, random, logger, metrics } = core;
  const engine = openSslEngine();
  const udp = await openSocket(core, 'COAP_DTLS');
  try {
    const socket = new DtlsSocket({
      socket: udp,
      engine,
      files,
      settings: {
        ccm8: settings.TANDEM_COAP_DTLS_CCM8,
        psk: settings.TANDEM_COAP_DTLS_PSK,
        mtu: settings.TANDEM_COAP_DTLS_MTU,
        maxSessions: settings.TANDEM_COAP_DTLS_MAX_SESSIONS,
        maxHandshakes: settings.TANDEM_COAP_DTLS_MAX_HANDSHAKES,
        handshakeTimeout: settings.TANDEM_COAP_DTLS_HANDSHAKE_TIMEOUT,
        resumptionTime: settings.TANDEM_COAP_DTLS_RESUMPTION_TIME,
      },
      acceptsCertificates: () => true,
      preSharedKey: () => undefined,
      clock,
      random,
      logger,
      metrics,
    });
    return serve(core, socket, device, 'tandem_coaps');
  } catch (error) {
    await udp.close();
    throw error;
  }
}
