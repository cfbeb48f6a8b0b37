import { randomBytes } from 'node:crypto';
import {
  optionBytes,
  uint,
  option as uintOption,
} from '../../packages/coap-transport/src/endpoint/testing/fake-client';
import { type CoapPeer, option } from './coap-peer';

/** SZX 6: 1024 bytes (RFC 7959 section 2.2). */
const EXPONENT = 6;
const SIZE = 1 << (EXPONENT + 4);
/** How often a body is begun before it is given up. */
const ATTEMPTS = 10;

const blockOption = (name: 'Block1' | 'Block2', number: number, more: boolean) =>
  option(name, uint((number << 4) | (more ? 8 : 0) | EXPONENT));

/**
 * Sends a body in blocks (RFC 7959 section 2.5); where one block is given up, or not the one that was expected, the whole
 * is sent again. Returns the final code.
 */
export async function upload(peer: CoapPeer, path: string, body: Buffer): Promise<string> {
  const blocks = Math.ceil(body.length / SIZE);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    for (let number = 0; number < blocks; number++) {
      const more = number < blocks - 1;
      const payload = body.subarray(number * SIZE, (number + 1) * SIZE);
      const options = [blockOption('Block1', number, more), option('Size1', uint(body.length))];
      const response = await peer.request({ method: 'POST', path, payload, options });
      if (response === undefined || response.code === '4.08') break;
      if (!more || response.code !== '2.31') return response.code;
    }
  }
  throw new Error('the body was given up');
}

/**
 * Reads a body block by block (RFC 7959 section 2.4); a block that was given up is asked for again, and a body whose ETag
 * changes is begun anew.
 */
export async function download(peer: CoapPeer, path: string): Promise<Buffer> {
  let blocks: Buffer[] = [];
  let etag: string | undefined;
  for (let request = 0; request < ATTEMPTS * 100; request++) {
    const options = [blockOption('Block2', blocks.length, false)];
    const response = await peer.request({ method: 'GET', path, token: randomBytes(4), options });
    if (response === undefined) continue;
    if (response.code !== '2.05') throw new Error(response.code);
    const its = optionBytes(response, 'ETag')?.toString('hex');
    const number = (uintOption(response, 'Block2') ?? 0) >> 4;
    if (number !== blocks.length || (number > 0 && its !== etag)) {
      blocks = [];
      continue;
    }
    etag = its;
    blocks.push(response.payload);
    if (((uintOption(response, 'Block2') ?? 0) & 8) === 0) return Buffer.concat(blocks);
  }
  throw new Error('the body was given up');
}
