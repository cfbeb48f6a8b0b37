import { PeerState } from './peer';
import { hashSource, PeerMap } from './peer-map';

const SEED = 7;
const session = {};

function aPeer(address: string, port: number, from?: object): PeerState {
  const peer = new PeerState(`${address}:${port}`, address, port, from, SEED);
  peer.mapHash = hashOf(address, port, from);
  return peer;
}

const hashOf = (address: string, port: number, from?: object) => hashSource(address, port, from ? 1 : 0, SEED);

const find = (map: PeerMap, { address, port, session: from }: PeerState) =>
  map.get(hashOf(address, port, from), address, port, from);

const many = (count: number): PeerState[] =>
  Array.from({ length: count }, (_, n) => aPeer(`10.0.${n >> 8}.${n & 255}`, 1000 + (n % 7)));

describe('Peers by where they are', () => {
  it('are told apart by address, port and session', () => {
    const map = new PeerMap();
    const peers = [aPeer('10.0.0.1', 1), aPeer('10.0.0.1', 2), aPeer('10.0.0.2', 1), aPeer('10.0.0.1', 1, session)];
    for (const peer of peers) map.add(peer);
    expect(peers.map((peer) => find(map, peer))).toEqual(peers);
    expect(find(map, aPeer('10.0.0.2', 2))).toBeUndefined();
    expect(map.size).toBe(4);
  });

  it('are told apart where their hashes are the same', () => {
    const map = new PeerMap();
    const peers = many(20);
    for (const peer of peers) {
      peer.mapHash = 5;
      map.add(peer);
    }
    expect(peers.map(({ address, port }) => map.get(5, address, port, undefined))).toEqual(peers);
    for (const [n, peer] of peers.entries()) if (n % 2 === 0) expect(map.delete(peer)).toBe(true);
    expect(peers.map(({ address, port }) => map.get(5, address, port, undefined))).toEqual(
      peers.map((peer, n) => (n % 2 === 0 ? undefined : peer)),
    );
  });

  it('are found however many there are, until they are taken out', () => {
    const map = new PeerMap();
    const peers = many(5_000);
    for (const peer of peers) map.add(peer);
    expect(peers.every((peer) => find(map, peer) === peer)).toBe(true);
    for (const peer of peers.slice(0, 2_500)) expect(map.delete(peer)).toBe(true);
    expect(map.size).toBe(2_500);
    expect(peers.filter((peer) => find(map, peer) === peer)).toEqual(peers.slice(2_500));
    expect(map.delete(peers[0] ?? aPeer('', 0))).toBe(false);
  });

  it('all leave at once, and may go into another map on their way', () => {
    const [from, to] = [new PeerMap(), new PeerMap()];
    const peers = many(300);
    for (const peer of peers) from.add(peer);
    let count = 0;
    for (const peer of from.drain()) {
      count++;
      if (peer.port !== 1000) to.add(peer);
    }
    expect([count, from.size]).toEqual([300, 0]);
    expect(peers.filter((peer) => find(to, peer) === peer)).toEqual(peers.filter(({ port }) => port !== 1000));
    expect(peers.some((peer) => find(from, peer) !== undefined)).toBe(false);
  });
});
