/** What a UDP header may say that is not so. */
export type Lie = 'none' | 'longer' | 'shorter' | 'checksum' | 'zero-length';

export interface ForgedPacket {
  /** Dotted. */
  readonly source: string;
  readonly sourcePort: number;
  readonly port: number;
  readonly payload: Buffer;
  readonly lie: Lie;
}

const IP_HEADER = 20;
const UDP_HEADER = 8;
const UDP = 17;

/** An IPv4 packet to 127.0.0.1. The system fills in the IP checksum. */
export function forgedPacket({ source, sourcePort, port, payload, lie }: ForgedPacket): Buffer {
  const length = UDP_HEADER + payload.length;
  const packet = Buffer.alloc(IP_HEADER + length);
  packet[0] = 0x45;
  packet.writeUInt16BE(packet.length, 2);
  packet[8] = 64;
  packet[9] = UDP;
  source.split('.').forEach((part, at) => {
    packet[12 + at] = Number(part);
  });
  packet.set([127, 0, 0, 1], 16);
  const udp = packet.subarray(IP_HEADER);
  udp.writeUInt16BE(sourcePort, 0);
  udp.writeUInt16BE(port, 2);
  udp.writeUInt16BE(claimed(length, lie), 4);
  payload.copy(udp, UDP_HEADER);
  // 0 says that there is none.
  if (lie === 'checksum') udp.writeUInt16BE(0xdead, 6);
  return packet;
}

function claimed(length: number, lie: Lie): number {
  if (lie === 'longer') return Math.min(0xffff, length + 20);
  if (lie === 'shorter') return Math.max(UDP_HEADER, length - 5);
  return lie === 'zero-length' ? 0 : length;
}
