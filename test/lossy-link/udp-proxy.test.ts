import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { UdpProxy } from './udp-proxy';

const SOUND = { loss: 0, duplication: 0, delay: [0, 0] } as const;

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

describe('A link whose port changes', () => {
  it('passes by the old port what the client sent before, and by the new one what it sends then', async () => {
    const [gateway, client] = [await openSocket(), await openSocket()];
    const link = await UdpProxy.open(gateway.address().port, SOUND, 1);
    const came = new Map<string, number>();
    const both = new Promise<void>((resolve) => {
      gateway.on('message', (datagram, { port }) => {
        came.set(String(datagram), port);
        if (came.size === 2) resolve();
      });
    });
    const old = link.outsidePort;
    const sent = new Promise((resolve) => client.send('before', link.port, '127.0.0.1', resolve));
    await sent;
    await link.changePort();
    client.send('after', link.port, '127.0.0.1');
    await both;
    expect(Object.fromEntries(came)).toEqual({ before: old, after: link.outsidePort });
    expect(link.outsidePort).not.toBe(old);
    link.close();
    gateway.close();
    client.close();
  });
});
