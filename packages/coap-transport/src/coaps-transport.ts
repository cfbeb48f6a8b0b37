import { type Core, findPreSharedKey, type TlsFiles, type Watched } from '@tandem/core';
import { DeviceSide } from './device-side';
import { CertificatePolicy } from './dtls/certificate-policy';
import { DtlsSocket, type DtlsSocketOptions } from './dtls/dtls-socket';
import { openSslEngine } from './dtls/openssl/context';
import { PskKeys } from './dtls/psk-keys';
import { TicketKeys } from './dtls/ticket-keys';
import type { UdpSocket } from './endpoint/index';
import { openSocket } from './open-socket';
import { type CoapTransport, serve } from './serve';
import { shareTicketKeys } from './share-ticket-keys';
import { sourceAddress } from './source-address';

/**
 * CoAP over DTLS on its own socket; serves from now on.
 * @param files certificate and key of the server
 * @param device one of its own where left out
 * @param descriptor see `openSocket`
 * @throws DtlsUnavailable where there can be no DTLS; Error in one line when the certificate is none or the port cannot be bound
 */
export async function createCoapsTransport(
  core: Core,
  files: Watched<TlsFiles>,
  device = new DeviceSide(core),
  descriptor?: number,
): Promise<CoapTransport> {
  const { settings, clock, random, logger, metrics, credentialsGuard } = core;
  const skipValidity = settings.TB_COAP_X509_DTLS_SKIP_VALIDITY_CHECK_FOR_CLIENT_CERT;
  const engine = openSslEngine();
  const ticketKeys = new TicketKeys(settings.TANDEM_COAP_DTLS_RESUMPTION_TIME, () => clock.now());
  const sharing = await shareTicketKeys(core, ticketKeys);
  const udp = await openSocket(core, 'COAP_DTLS', descriptor).catch((error) => {
    sharing.stop();
    throw error;
  });
  let toClose: Pick<UdpSocket, 'close'> = udp;
  try {
    const socket = new DtlsSocket({
      socket: udp,
      engine,
      files,
      settings: {
        ccm8: settings.TANDEM_COAP_DTLS_CCM8,
        psk: settings.TANDEM_COAP_DTLS_PSK,
        skipValidity,
        mtu: settings.TANDEM_COAP_DTLS_MTU,
        maxSessions: settings.TANDEM_COAP_DTLS_MAX_SESSIONS,
        maxSessionsPerAddress: settings.TANDEM_COAP_DTLS_MAX_SESSIONS_PER_ADDRESS,
        maxHandshakes: settings.TANDEM_COAP_DTLS_MAX_HANDSHAKES,
        maxHandshakesPerAddress: settings.TANDEM_COAP_DTLS_MAX_HANDSHAKES_PER_ADDRESS,
        handshakeTimeout: settings.TANDEM_COAP_DTLS_HANDSHAKE_TIMEOUT,
        inactivityTimeout: settings.TB_COAP_X509_DTLS_SESSION_INACTIVITY_TIMEOUT,
        inactivityCheck: settings.TB_COAP_X509_DTLS_SESSION_REPORT_TIMEOUT,
        resumptionTime: settings.TANDEM_COAP_DTLS_RESUMPTION_TIME,
        sourceDatagrams: settings.TANDEM_COAP_SOURCE_DATAGRAMS,
        maxSources: settings.TANDEM_COAP_MAX_SOURCES,
      },
      ticketKeys,
      certificates: new CertificatePolicy(clock, skipValidity),
      guard: {
        isLocked: (address) => credentialsGuard.anyLocked && credentialsGuard.isLocked(sourceAddress({ address })),
        failed: (address) => credentialsGuard.failed(sourceAddress({ address })),
      },
      opened: (session) => device.opened(session),
      prepare: settings.TANDEM_COAP_DTLS_PSK ? keysFor(core, device) : undefined,
      clock,
      random,
      logger,
      metrics,
    });
    toClose = socket;
    // The socket below has counted the datagrams.
    const transport = serve(core, socket, device, 'coaps', 0);
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
    await toClose.close();
    throw error;
  }
}

function keysFor(
  { settings, state, clock, random, metrics }: Core,
  { tooManyLookups: tooMany }: DeviceSide,
): DtlsSocketOptions['prepare'] {
  const find = (identity: string) => findPreSharedKey(state.devices, identity);
  const keys = new PskKeys({ find, max: settings.TANDEM_COAP_MAX_LOOKUPS, clock, random, metrics, tooMany });
  return (connection, datagram) => keys.prepare(connection, datagram);
}
