import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { useCore } from '../devices/testing/core-under-test';
import { accepted } from '../testing/store-under-test';
import type { OtaPackage } from './model';
import type { ExpectedChecksum } from './package-data';
import { FirmwareUnderTest } from './testing/firmware-under-test';

const used = useCore({
  TANDEM_FIRMWARE_MAX_BYTES: '300000',
  TANDEM_FIRMWARE_MAX_TENANT_BYTES: '500000',
  TANDEM_FIRMWARE_MAX_UPLOADS: '3',
});
const firmware = new FirmwareUnderTest(used);

const empty = () => firmware.package({ url: '' });
const SHA256: ExpectedChecksum = { algorithm: 'SHA256' };

function upload(ota: OtaPackage, bytes: AsyncIterable<Uint8Array>, checksum = SHA256): Promise<OtaPackage> {
  return used.core.firmware.data.upload(ota, { fileName: 'fw.bin', contentType: 'a/b', bytes }, checksum);
}
async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
async function read(ota: OtaPackage, offset?: number, length?: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of used.core.firmware.data.read(ota, offset, length)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('The data of a package', () => {
  it('come out as they came in, as a whole and in parts', async () => {
    const bytes = randomBytes(290_001);
    const ota = await upload(await empty(), chunks(bytes));
    const checksum = createHash('sha256').update(bytes).digest('hex');
    expect(ota).toMatchObject({ checksum, checksumAlgorithm: 'SHA256', dataSize: 290_001, fileName: 'fw.bin' });
    expect((await read(ota)).equals(bytes)).toBe(true);
    expect((await read(ota, 150_000, 1_000)).equals(bytes.subarray(150_000, 151_000))).toBe(true);
    expect((await read(ota, 290_000, 1_000)).equals(bytes.subarray(290_000))).toBe(true);
    expect(await read(ota, 290_001, 1_000)).toHaveLength(0);
    const { data } = used.core.firmware;
    expect((await data.slice(ota, 1_024 * 7, 1_024)).equals(bytes.subarray(1_024 * 7, 1_024 * 8))).toBe(true);
    expect(await data.slice(ota, 999_999, 1_024)).toHaveLength(0);
    await expect(data.slice(await empty(), 0, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('have the checksum that was given, in whatever letter case, or nothing is stored', async () => {
    const ota = await empty();
    const bytes = Buffer.from('123456789');
    const given = (value: string): ExpectedChecksum => ({ algorithm: 'CRC32', value });
    await expect(upload(ota, chunks(bytes), given('cbf43926'))).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'Wrong otaPackage file!',
    });
    expect(await used.core.firmware.packages.get(used.tenantId, ota.id)).toEqual(ota);
    expect(await upload(ota, chunks(bytes), given('2639F4CB'))).toMatchObject({ checksum: '2639f4cb' });
  });

  it.each<[string, number, string, string]>([
    ['is empty', 0, 'BAD_REQUEST', 'OtaPackage data should be specified!'],
    ['is larger than a package may be', 300_001, 'PAYLOAD_TOO_LARGE', 'Payload size exceeds the limit of 300000 bytes'],
  ])('are refused when the file %s', async (_, size, code, message) => {
    const ota = await empty();
    await expect(upload(ota, chunks(Buffer.alloc(size)))).rejects.toMatchObject({ code, message });
    expect((await used.core.firmware.packages.get(used.tenantId, ota.id)).dataId).toBeNull();
  });

  it('are refused beyond what a tenant may have, until something is deleted', async () => {
    const first = await upload(await empty(), chunks(Buffer.alloc(300_000)));
    const second = await empty();
    await expect(upload(second, chunks(Buffer.alloc(300_000)))).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'OTA packages total size exceeds the maximum of 500000 bytes',
    });
    await used.core.firmware.packages.delete(used.tenantId, first.id);
    await upload(second, chunks(Buffer.alloc(300_000)));
  });

  it('are never replaced, nor put beside a URL', async () => {
    const ota = await upload(await empty(), chunks(Buffer.alloc(10)));
    await expect(upload(ota, chunks(Buffer.alloc(10)))).rejects.toMatchObject({
      message: 'Updating otaPackage data is prohibited!',
    });
    const elsewhere = await firmware.package({ url: 'https://example.org' });
    await expect(upload(elsewhere, chunks(Buffer.alloc(10)))).rejects.toMatchObject({
      message: "File can't be saved if URL present!",
    });
  });

  it('leave nothing when the sender breaks off, and the place is free again', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(100_000);
      throw new Error('broken off');
    }
    for (let n = 0; n < 3; n++) await expect(upload(await empty(), broken())).rejects.toThrow('broken off');
    expect(used.gauge('tandem_firmware_uploads')).toBe(0);
  });

  it('come in for few packages at once, of which no tenant has all', async () => {
    const silent = async function* (): AsyncGenerator<Buffer> {
      await held;
      yield Buffer.alloc(10);
    };
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    const another = async () => ({ ...(await empty()), tenantId: randomUUID() });
    const [one, two, three] = [await empty(), await empty(), await empty()];
    const uploads = [upload(one, silent()), upload(two, silent())];
    const bytes = () => chunks(Buffer.alloc(10));
    await expect(upload(one, bytes())).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      message: 'This package is being uploaded already',
    });
    await expect(upload(three, bytes())).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: 5_000 });
    uploads.push(upload(await another(), silent()));
    await expect(upload(await another(), bytes())).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(used.gauge('tandem_firmware_uploads')).toBe(3);
    go();
    await Promise.all(uploads);
    expect(used.gauge('tandem_firmware_uploads')).toBe(0);
    await upload(three, bytes());
  });

  it('are given up when the sender falls silent, and the place is free again', async () => {
    const { clock } = used;
    const ota = await empty();
    let sent = () => {};
    const first = new Promise<void>((resolve) => {
      sent = resolve;
    });
    async function* stalled(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(10);
      sent();
      await new Promise(() => {});
    }
    const uploading = upload(ota, stalled());
    await first;
    clock.advance(29_999);
    expect(used.gauge('tandem_firmware_uploads')).toBe(1);
    clock.advance(1);
    await expect(uploading).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: 'Nothing of the file has come for 30 seconds',
    });
    expect(used.gauge('tandem_firmware_uploads')).toBe(0);
    await upload(ota, chunks(Buffer.alloc(10)));
  });

  it('are gone with their package', async () => {
    const ota = await upload(await empty(), chunks(Buffer.alloc(10)));
    accepted(await used.core.state.firmware.delete(ota.id));
    await expect(read(ota)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
