import type { Core, TlsFiles, Watched } from '@tandem/core';
import { DeviceSide } from './device-side';
import { DtlsSocket } from './dtls/dtls-socket';
import { openSslEngine } from './dtls/openssl/context';
import { TicketKeys } from './dtls/ticket-keys';
import { openSocket } from './open-socket';
import { type CoapTransport, serve } from './serve';
import { shareTicketKeys } from './share-ticket-keys';

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
  const ticketKeys = new TicketKeys(settings.TANDEM_COAP_DTLS_RESUMPTION_TIME, () => clock.now());
  const sharing = await shareTicketKeys(core, ticketKeys);
  const udp = await openSocket(core, 'COAP_DTLS').catch((error) => {
    sharing.stop();
    throw error;
  });
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
        maxSessionsPerAddress: settings.TANDEM_COAP_DTLS_MAX_SESSIONS_PER_ADDRESS,
        maxHandshakes: settings.TANDEM_COAP_DTLS_MAX_HANDSHAKES,
        maxHandshakesPerAddress: settings.TANDEM_COAP_DTLS_MAX_HANDSHAKES_PER_ADDRESS,
        handshakeTimeout: settings.TANDEM_COAP_DTLS_HANDSHAKE_TIMEOUT,
        inactivityTimeout: settings.TB_COAP_X509_DTLS_SESSION_INACTIVITY_TIMEOUT,
        inactivityCheck: settings.TB_COAP_X509_DTLS_SESSION_REPORT_TIMEOUT,
        resumptionTime: settings.TANDEM_COAP_DTLS_RESUMPTION_TIME,
      },
      ticketKeys,
      acceptsCertificates: () => true,
      preSharedKey: () => undefined,
      clock,
      random,
      logger,
      metrics,
    });
    const transport = serve(core, socket, device, 'tandem_coaps');
    return {
      port: transport.port,
      observations: () => transport.observations(),
      close: () => {
        sharing.stop();
        return transport.close();
      },
    };
  } catch (error) {
    sharing.stop();
    await udp.close();
    throw error;
  }
}
