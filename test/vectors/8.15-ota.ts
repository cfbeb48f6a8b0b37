import { createHash } from 'node:crypto';
import type { Received } from '../../packages/coap-transport/src/testing/raw-client';
import { bare, coap, expectResponse } from './framework/coap-vector';
import { assignFirmware, FIRMWARE } from './framework/fixtures';
import { EMPTY, expectAnswer, http } from './framework/http-vector';
import type { CoapExtras, Scene } from './framework/scene';
import type { Vector } from './framework/vector';

const FILE = 'GET /tokF/firmware?title=FW&version=1.0';
const OCTETS = 42;

/** Each has a package made and assigned first, which takes longer than its request. */
const together = (rows: readonly Vector[]): readonly Vector[] => rows.map((row) => ({ ...row, sideBySide: true }));

const part = (no: string, query: string, bytes: Buffer) =>
  http(no, `${FILE}${query}`, {}, { status: 200, bytes, headers: { 'content-length': String(bytes.length) } });

/** Contract 8.15 over HTTP. */
export const OTA_HTTP = together([
  http(
    '339',
    FILE,
    {},
    {
      status: 200,
      bytes: FIRMWARE,
      headers: {
        'content-disposition': 'attachment;filename=fw.bin',
        'x-filename': 'fw.bin',
        'content-type': 'application/octet-stream',
        'content-length': '2500',
      },
    },
  ),
  part('340', '&size=1000&chunk=0', FIRMWARE.subarray(0, 1_000)),
  part('341', '&size=1000&chunk=2', FIRMWARE.subarray(2_000)),
  part('342', '&size=1000&chunk=3', Buffer.alloc(0)),
  part('343', '&size=0&chunk=5', FIRMWARE),
  part('344', '&size=5000&chunk=0', FIRMWARE),
  http('345', `${FILE}&size=x`, {}, { status: 400, errorJson: true }),
  http('346', `${FILE}&size=1000&chunk=-1`, {}, { status: 400, errorJson: true }),
  http('347', 'GET /tokF/firmware?title=FW', {}, { status: 400, errorJson: true }),
  http('348', 'GET /tokF/firmware?title=FW&version=2.0', {}, { status: 400, ...EMPTY }),
  {
    no: '349',
    says: 'GET /tokF/firmware?title=fw&version=1.0 (case matters)',
    async run(scene) {
      const title = scene.local('FW').toLowerCase();
      expectAnswer(await scene.http(`GET /tokF/firmware?title=${title}&version=1.0`), { status: 400, ...EMPTY });
    },
  },
  http('350', 'GET /tokF/software?title=FW&version=1.0', {}, { status: 404, ...EMPTY }),
  http('351', 'GET /tokU/firmware?title=FW&version=1.0', {}, { status: 404, ...EMPTY }),
  http('352', 'GET /nope/firmware?title=FW&version=1.0', {}, { status: 401, ...EMPTY }),
  {
    no: '353',
    says: 'GET /tokF/attributes?sharedKeys=fw_title,fw_version,fw_size,fw_checksum_algorithm,fw_checksum',
    async run(scene) {
      const keys = 'fw_title,fw_version,fw_size,fw_checksum_algorithm,fw_checksum';
      const shared = {
        fw_title: scene.local('FW'),
        fw_version: '1.0',
        fw_size: 2_500,
        fw_checksum_algorithm: 'SHA256',
        fw_checksum: createHash('sha256').update(FIRMWARE).digest('hex'),
      };
      expectAnswer(await scene.http(`GET /tokF/attributes?sharedKeys=${keys}`), { status: 200, json: { shared } });
    },
  },
  {
    no: '354',
    says: 'package unassigned while an update poll is open',
    async run(scene) {
      const device = await scene.device('tokF');
      const poll = await scene.poll('/tokF/attributes/updates?timeout=20000');
      await assignFirmware(scene, device, null);
      const answer = await poll.answer;
      expectAnswer(answer, { status: 200 });
      const { deleted, ...others } = JSON.parse(answer.text) as { deleted: string[] };
      expect(others).toEqual({});
      const keys = ['fw_title', 'fw_version', 'fw_size', 'fw_checksum_algorithm', 'fw_checksum'];
      expect(deleted).toEqual(expect.arrayContaining(keys));
    },
  },
]);

const block2 = (number: number, szx: number): number => (number << 4) | szx;
const hasMore = ({ block2: option = 0 }: Received): boolean => (option & 8) !== 0;

/** The answers to a request and to those for the blocks that follow. */
async function blocks(scene: Scene, line: string, extras: CoapExtras = {}): Promise<Received[]> {
  const answers = [await scene.ask(line, '', extras)];
  for (let last = answers[0]; last && hasMore(last); answers.push(last)) {
    const { block2: option = 0 } = last;
    last = await scene.ask(line, '', { block2: block2((option >> 4) + 1, option & 7) });
  }
  return answers;
}

/** A download by CoAP: what comes, and in blocks of which lengths. */
const download = (
  no: string,
  line: string,
  { bytes, lengths, ...extras }: CoapExtras & { bytes: Buffer; lengths: readonly number[] },
): Vector => ({
  no,
  says: `CoAP ${line}${extras.block2 === undefined ? '' : `, client offers Block2 of ${lengths[0]} bytes, number 0`}`,
  async run(scene) {
    const answers = await blocks(scene, line, extras);
    for (const answer of answers) expectResponse(answer, { kind: 'ACK 2.05', format: OCTETS });
    expect(answers.map(({ payload }) => payload.length)).toEqual(lengths);
    expect(answers.map(({ block2: option }) => (option ?? 0) >> 4)).toEqual(lengths.map((_, number) => number));
    expect(Buffer.concat(answers.map(({ payload }) => payload)).equals(bytes)).toBe(true);
  },
});

const refused = (no: string, line: string, kind: string) => coap(no, line, { says: `CoAP ${line}` }, bare(kind));

/** Contract 8.15 over CoAP. */
export const OTA_COAP = together([
  download('355', 'GET /fw/tokF', { bytes: FIRMWARE, lengths: [1_024, 1_024, 452] }),
  download('356', 'GET /fw/tokF?title=FW&version=1.0&size=1000&chunk=1', {
    bytes: FIRMWARE.subarray(1_000, 2_000),
    lengths: [1_000],
  }),
  refused('357', 'GET /fw/tokF?title=XX', 'ACK 4.00'),
  refused('358', 'GET /sw/tokF', 'ACK 4.04'),
  refused('359', 'GET /fw/tokU', 'ACK 4.04'),
  refused('360', 'GET /fw/nope', 'ACK 4.01'),
  {
    no: '361',
    says: 'CoAP GET /fw or /fw/tokF/x',
    async run(scene) {
      for (const line of ['GET /fw', 'GET /fw/tokF/x']) expectResponse(await scene.ask(line), bare('ACK 4.01'));
    },
  },
  download('362', 'GET /api/v1/tokF/firmware?title=FW&version=1.0', {
    bytes: FIRMWARE,
    lengths: [1_024, 1_024, 452],
  }),
  refused('363', 'POST /fw/tokF', 'ACK 4.05'),
  refused('364', 'GET /fw/tokF?size=x', 'ACK 4.00'),
  coap(
    '365',
    'GET /fw/tokF?size=1000&chunk=9',
    { says: 'CoAP GET /fw/tokF?size=1000&chunk=9' },
    { kind: 'ACK 2.05', text: '' },
  ),
  download('366', 'GET /fw/tokF', {
    block2: block2(0, 4),
    bytes: FIRMWARE,
    lengths: [...Array<number>(9).fill(256), 196],
  }),
  {
    no: '367',
    says: 'CoAP GET /fw/tokF, client asks Block2 number 2 directly',
    async run(scene) {
      const answer = await scene.ask('GET /fw/tokF', '', { block2: block2(2, 6) });
      expectResponse(answer, {
        kind: 'ACK 2.05',
        format: OCTETS,
        block2: block2(2, 6),
        payload: FIRMWARE.subarray(2_048),
      });
    },
  },
]);
