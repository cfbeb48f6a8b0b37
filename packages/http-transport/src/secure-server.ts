import { constants, X509Certificate } from 'node:crypto';
import type { Server, ServerOptions } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import {
  type ClientTrust,
  type MetricsRegistry,
  type Millis,
  revocationLists,
  type TlsFiles,
  type Watched,
} from '@tandem/core';
import { loseTrust } from './client-certificates';
import { Connection } from './connections/connection';

/** What makes a server speak HTTPS. */
export interface HttpsOptions {
  readonly files: Watched<TlsFiles>;
  /** Whether clients are asked for certificates. None is refused for having none, or any. */
  readonly clientCertificates: boolean;
}

/**
 * HTTPS with TLS 1.2 and 1.3. Certificates that are replaced are those of new connections; open ones go on, but for those whose
 * client was trusted by a trust store or a list of revoked certificates that is another one now.
 * @param handshakeTimeout a client that takes longer holds a connection for nothing
 */
export function createSecureServer(
  options: ServerOptions,
  tls: HttpsOptions,
  handshakeTimeout: Millis,
  metrics: MetricsRegistry,
): Server {
  const { files, clientCertificates } = tls;
  const contextOf = ({ material, clientTrust }: TlsFiles): SecureContextOptions => ({
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    cert: material.certificates,
    key: material.key,
    ...(clientCertificates && withClients(clientTrust)),
  });
  const server = createServer({
    ...options,
    ...contextOf(files.current),
    requestCert: clientCertificates,
    // Who has no certificate, or one that nobody vouches for, may still have a token.
    rejectUnauthorized: false,
    handshakeTimeout,
  });
  // Node would call it an error of HTTP, whose answer nobody could read yet; and nothing may be asked of what is left of TLS here.
  server.removeAllListeners('tlsClientError');
  const failed = metrics.counter('tandem_https_handshakes_failed_total');
  server.on('tlsClientError', (_error, socket) => {
    failed.add();
    socket.destroy();
  });
  if (clientCertificates) server.on('secureConnection', forgetVerification);
  const trusted = clientCertificates ? new TrustedConnections(server, files.current.clientTrust) : undefined;
  const stop = files.onChange((current) => {
    let verifies = false;
    try {
      server.setSecureContext(contextOf(current));
      verifies = true;
    } finally {
      // What was trusted before holds no more, whether or not OpenSSL takes what came instead. Who tells of it logs what was thrown.
      trusted?.trustIs(current.clientTrust, verifies);
    }
  });
  server.on('close', stop);
  return server;
}

/**
 * Without resumption: of a chain of certificates a ticket holds the first alone, and the client of a ticket would be trusted
 * after its certificate was revoked.
 */
const withClients = (trust: ClientTrust | undefined): SecureContextOptions => ({
  secureOptions: constants.SSL_OP_NO_TICKET,
  ca: trust?.authorities,
  crl: trust?.revoked === undefined ? undefined : revocationLists(trust.revoked),
});

/**
 * A signature in the client's chain that does not fit is no reason to end anything here, but OpenSSL keeps it in its list of
 * errors, and Node takes it for one of the connection, of which the first read then fails. Reading a certificate clears the list.
 */
function forgetVerification(): void {
  try {
    new X509Certificate('');
  } catch {
    // It is none.
  }
}

/** Of Node, without a public name: what TLS runs over. */
type OverTcp = TLSSocket & { readonly _parent?: Socket | null };

/** Ends connections of clients that were trusted by what does not hold any more. */
class TrustedConnections {
  readonly #handshaking = new Set<Socket>();
  readonly #trusted = new Set<TLSSocket>();
  /** Whether handshakes look at certificates by what is trusted now. */
  #verifies = true;

  constructor(
    server: Server,
    private trust: ClientTrust | undefined,
  ) {
    server.on('connection', (socket: Socket) => {
      this.#handshaking.add(socket);
      socket.once('close', () => this.#handshaking.delete(socket));
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      const { _parent: below } = socket as OverTcp;
      if (below) this.#handshaking.delete(below);
      if (!socket.authorized) return;
      if (!this.#verifies) {
        loseTrust(socket);
        return;
      }
      this.#trusted.add(socket);
      socket.once('close', () => this.#trusted.delete(socket));
    });
  }

  /** @param verifies whether handshakes look at certificates by it from now on */
  trustIs(trust: ClientTrust | undefined, verifies: boolean): void {
    const same = trust?.authorities === this.trust?.authorities && trust?.revoked === this.trust?.revoked;
    // With a new certificate of the server alone, which could not be taken, they look by the same as before.
    this.#verifies = verifies || (same && this.#verifies);
    if (same) return;
    this.trust = trust;
    for (const socket of this.#handshaking) socket.destroy();
    for (const socket of this.#trusted) {
      loseTrust(socket);
      endAfterAnswer(socket);
    }
  }
}

/** What it was asked while the client was trusted is answered. */
function endAfterAnswer(socket: TLSSocket): void {
  const connection = Connection.of(socket);
  const { request, response, upgraded } = connection ?? {};
  // It shows by other means who it is.
  if (upgraded) return;
  if (request?.complete && response && !response.writableFinished) response.once('close', () => socket.destroySoon());
  else socket.destroy();
}
