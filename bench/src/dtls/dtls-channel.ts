import type { OpenChannel } from '../load/peer-channel';
import { DtlsClientContext } from './dtls-client';

/** Messages go in a session of their own, which no certificate of the client belongs to. */
export function dtlsChannel(host: string, port: number): OpenChannel {
  const context = new DtlsClientContext();
  return async ({ received, failed }) => {
    const client = context.connect(host, port);
    client.onMessage = received;
    client.onClose = () => failed('the session was closed');
    await client.opened;
    return client;
  };
}
