import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readSettings } from '@tandem/core';
import { bindPortGroup, type PortGroup } from './port-group';

const PEERS = 24;
const open: Socket[] = [];

afterAll(() => {
  for (const socket of open) socket.close();
});

async function bound(type: 'udp4' | 'udp6', to: { fd: number } | { port: number; address: string }): Promise<Socket> {
  const socket = createSocket(type);
  open.push(socket);
  // A socket that is handed over listens at once.
  const listening = once(socket, 'listening');
  socket.bind({ ...to, exclusive: true });
  await listening;
  return socket;
}

const group = (address: string, port = 0, count = 3): Promise<PortGroup> =>
  bindPortGroup(readSettings({ COAP_BIND_ADDRESS: address, COAP_BIND_PORT: String(port) }), 'COAP', count);

describe('A UDP port that is shared out', () => {
  it.each([
    ['127.0.0.1', 'udp4', '127.0.0.1'],
    ['localhost', 'udp4', '127.0.0.1'],
    ['0.0.0.0', 'udp4', '127.0.0.1'],
    ['::1', 'udp6', '::1'],
    ['::', 'udp6', '::1'],
    ['::1%lo', 'udp6', '::1'],
  ] as const)('on %s gives each peer to one of the sockets, and always the same', async (address, type, at) => {
    const { port, descriptors } = await group(address);
    const takenBy = new Map<number, Set<number>>();
    let left = PEERS * 2;
    const all = new Promise<void>((resolve) => {
      for (const [which, fd] of descriptors.entries()) {
        void bound(type, { fd }).then((socket) =>
          socket.on('message', (_datagram, { port: peer }) => {
            takenBy.set(peer, (takenBy.get(peer) ?? new Set()).add(which));
            if (--left === 0) resolve();
          }),
        );
      }
    });
    const peers = await Promise.all(Array.from({ length: PEERS }, () => bound(type, { port: 0, address: at })));
    for (const peer of [...peers, ...peers]) peer.send('x', port, at);
    await all;
    expect(takenBy.size).toBe(PEERS);
    expect([...takenBy.values()].filter(({ size }) => size > 1)).toEqual([]);
    expect(new Set([...takenBy.values()].flatMap((sockets) => [...sockets])).size).toBeGreaterThan(1);
  });

  it('is refused where anybody has it, be it another such group, and names the setting', async () => {
    const { port } = await group('127.0.0.1');
    const refusal = `UDP port ${port} on 127.0.0.1 is in use: see COAP_BIND_PORT`;
    await expect(group('127.0.0.1', port)).rejects.toThrow(refusal);
    const alone = await bound('udp4', { port: 0, address: '127.0.0.1' });
    await expect(group('0.0.0.0', alone.address().port)).rejects.toThrow('is in use: see COAP_BIND_PORT');
  });

  it('is refused on an address that is not of this machine', async () => {
    await expect(group('192.0.2.1')).rejects.toThrow(
      '192.0.2.1 is no address of this machine (EADDRNOTAVAIL): see COAP_BIND_ADDRESS',
    );
  });
});
