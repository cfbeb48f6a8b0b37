import { randomBytes, randomUUID } from 'node:crypto';
import type { Device } from '../devices/model';
import type { OtaPackage } from '../firmware/model';
import type { Written } from '../state/device-store';
import { type FirmwareStore, MAX_FIRMWARE_READ } from '../state/firmware-store';
import { aDevice, aPackage, aProfile, CREATED, credentialsOf, TENANT_ID } from './builders';
import { accepted, LONE_SURROGATES, type MakeStore, ODD_NAMES, useSharedStore } from './store-under-test';

const PAGE = { page: 0, pageSize: 100 };
const UNLIMITED = Number.MAX_SAFE_INTEGER;

export function describeFirmwareStoreContract(makeStore: MakeStore): void {
  describe('FirmwareStore', () => {
    const store = useSharedStore(makeStore);
    const firmware = () => store.state.firmware;

    const made = async (given: Partial<OtaPackage> = {}) => accepted(await firmware().create(aPackage(given)));

    /** @param sizes of the chunks it comes in, again and again */
    async function upload(packageId: string, bytes: Buffer, sizes = [65_536], tenantMaxBytes = UNLIMITED) {
      const data = await firmware().beginData();
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const chunk = Buffer.from(bytes.subarray(at, at + (sizes[n % sizes.length] ?? 1)));
        at += chunk.length;
        await data.write(chunk);
        // Whoever has written may use the chunk again.
        chunk.fill(0);
      }
      return data.commit({ packageId, file: fileOf(bytes), tenantMaxBytes });
    }

    it('gives back what was made, and lists it for its tenant alone', async () => {
      const ota = await made({ tag: 'fw 1.0', url: 'https://example.org/fw', additionalInfo: '{"n":42.0}' });
      const other = await made({ tenantId: randomUUID(), title: ota.title });
      expect(await firmware().get(ota.id)).toEqual(ota);
      expect(await firmware().get(randomUUID())).toBeUndefined();
      expect(await firmware().list(TENANT_ID, PAGE)).toEqual({ data: [ota], totalElements: 1 });
      expect((await firmware().list(other.tenantId, PAGE)).data).toEqual([other]);
    });

    it('takes a title and version once in a tenant, however odd they are', async () => {
      for (const title of ODD_NAMES.filter((_, n) => n % 3 === 0)) {
        const ota = await made({ title, version: title });
        expect(await firmware().create(aPackage({ title, version: title }))).toEqual(refused('NAME_TAKEN'));
        expect(await firmware().get(ota.id)).toEqual(ota);
      }
      for (const title of LONE_SURROGATES) await firmware().create(aPackage({ title }));
      await made({ title: 'a', version: 'bc' });
      await made({ title: 'ab', version: 'c' });
      await made({ title: 'a', version: 'bC' });
    });

    it('changes a record by its revision, and never its title, version or data', async () => {
      const ota = await made();
      const changed = accepted(
        await firmware().update({ ...ota, additionalInfo: '{}', title: 'other', version: '9', dataId: randomUUID() }),
      );
      expect(changed).toEqual({ ...ota, additionalInfo: '{}', revision: 2 });
      expect(await firmware().get(ota.id)).toEqual(changed);
      expect(await firmware().update(ota)).toEqual(refused('VERSION'));
      expect(await firmware().update(aPackage())).toEqual(refused('ABSENT'));
    });

    it('lists by profile, type and whether there is something to get, in pages', async () => {
      const profile = randomUUID();
      const [plain, withUrl, software] = [
        await made({ deviceProfileId: profile, title: 'Plain', createdTime: CREATED + 1 }),
        await made({ deviceProfileId: profile, title: 'far away', createdTime: CREATED + 2, url: 'coap://x' }),
        await made({ deviceProfileId: profile, title: 'app', createdTime: CREATED + 3, type: 'SOFTWARE' }),
      ];
      await made();
      const list = async (query: object) =>
        (await firmware().list(TENANT_ID, { ...PAGE, ...query })).data.map(({ title }) => title);
      expect(await list({ deviceProfileId: profile })).toEqual([software.title, withUrl.title, plain.title]);
      expect(await list({ deviceProfileId: profile, type: 'FIRMWARE' })).toEqual([withUrl.title, plain.title]);
      expect(await list({ deviceProfileId: profile, available: true })).toEqual([withUrl.title]);
      expect(await list({ textSearch: 'PLA' })).toEqual([plain.title]);
      const page = { page: 1, pageSize: 2, sortProperty: 'title', sortOrder: 'ASC' as const };
      expect(await firmware().list(TENANT_ID, { ...page, deviceProfileId: profile })).toMatchObject({
        data: [{ title: 'Plain' }],
        totalElements: 3,
      });
    });

    it('keeps data byte by byte, whatever pieces they came in, and reads any slice of them', async () => {
      const bytes = randomBytes(1_500_001);
      for (const sizes of [[65_536], [1_500_001], [1, 262_143, 262_145, 17]]) {
        const ota = await made();
        const saved = accepted(await upload(ota.id, bytes, sizes));
        expect(saved).toEqual({ ...ota, ...fileOf(bytes), dataId: expect.any(String), revision: 2 });
        expect(await firmware().get(ota.id)).toEqual(saved);
        const read = (offset: number, length: number) => firmware().read(saved.dataId ?? '', offset, length);
        for (const [offset, length] of [
          [0, 1],
          [0, MAX_FIRMWARE_READ],
          [262_143, 2],
          [262_144, 262_144],
          [1_024 * 300, 1_024],
          [700_000, MAX_FIRMWARE_READ],
          [1_500_000, 10],
          [1_500_001, 10],
          [99_999_999, 10],
        ] as const) {
          expect((await read(offset, length))?.equals(bytes.subarray(offset, offset + length))).toBe(true);
        }
      }
    });

    it('shows nothing of an upload until it is complete, and nothing of one that is aborted', async () => {
      const ota = await made();
      const data = await firmware().beginData();
      await data.write(randomBytes(600_000));
      expect(await firmware().get(ota.id)).toEqual(ota);
      await data.abort();
      await data.abort();
      expect(await firmware().get(ota.id)).toEqual(ota);
      await expect(data.write(randomBytes(600_000))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await expect(data.commit(newData(ota.id, 600_000))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });

    it('takes data once: of two uploads at the same time the first wins', async () => {
      const ota = await made();
      const [first, second] = [randomBytes(300_000), randomBytes(300_000)];
      const outcomes = await Promise.all([upload(ota.id, first), upload(ota.id, second)]);
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      expect(outcomes).toContainEqual(refused('IN_USE'));
      const { dataId } = (await firmware().get(ota.id)) ?? ota;
      const kept = await firmware().read(dataId ?? '', 0, 300_000);
      expect(kept?.equals(outcomes[0]?.ok ? first : second)).toBe(true);
      expect(await upload(ota.id, first)).toEqual(refused('IN_USE'));
      expect(await upload(randomUUID(), first)).toEqual(refused('ABSENT'));
    });

    it('bounds the bytes of a tenant, and counts no more what is deleted', async () => {
      await store.empty();
      const [one, two] = [await made(), await made()];
      accepted(await upload(one.id, randomBytes(600), [65_536], 1_000));
      expect(await upload(two.id, randomBytes(600), [65_536], 1_000)).toEqual(refused('LIMIT'));
      expect(await firmware().get(two.id)).toEqual(two);
      accepted(await upload(two.id, randomBytes(400), [65_536], 1_000));
      accepted(await firmware().delete(one.id));
      const three = await made();
      accepted(await upload(three.id, randomBytes(600), [65_536], 1_000));
    });

    it('deletes a package with its data and frees its name', async () => {
      await store.empty();
      const ota = await made();
      const saved = accepted(await upload(ota.id, randomBytes(5_000_000)));
      expect(accepted(await firmware().delete(ota.id))).toEqual(saved);
      expect(await firmware().delete(ota.id)).toEqual(refused('ABSENT'));
      expect(await firmware().get(ota.id)).toBeUndefined();
      expect((await firmware().list(TENANT_ID, PAGE)).totalElements).toBe(0);
      expect(await firmware().read(saved.dataId ?? '', 0, 10)).toBeUndefined();
      await made({ title: ota.title, version: ota.version });
    });

    it('is not deleted while a device or a profile refers to it, however that comes to refer to it', async () => {
      const { devices } = store.state;
      const [ota, other] = [await made(), await made({ type: 'SOFTWARE' })];
      const inUse = async () => (await firmware().delete(ota.id)).ok === false;
      const profile = await store.profile({ firmwareId: ota.id });
      const device = await store.device({ firmwareId: ota.id }, { profile });
      expect(await firmware().delete(ota.id)).toEqual(refused('IN_USE'));
      const freed = accepted(await devices.updateProfile({ ...profile, firmwareId: null, softwareId: other.id }));
      expect(await inUse()).toBe(true);
      const renamed = accepted(await devices.updateDevice({ ...device, name: 'renamed' }));
      expect(await inUse()).toBe(true);
      accepted(await devices.deleteDevice(renamed.id));
      expect(await firmware().delete(other.id)).toEqual(refused('IN_USE'));
      accepted(await firmware().delete(ota.id));
      accepted(await devices.deleteProfile(freed.id));
      accepted(await firmware().delete(other.id));
    });

    it('has to be there to be referred to', async () => {
      const { devices } = store.state;
      const [gone, profile] = [randomUUID(), await store.profile()];
      const device = await store.device({}, { profile });
      const made = aDevice(profile, { softwareId: gone });
      expect(await devices.createDevice(made, credentialsOf(made))).toEqual(refused('PACKAGE_ABSENT'));
      expect(await devices.updateDevice({ ...device, firmwareId: gone })).toEqual(refused('PACKAGE_ABSENT'));
      expect(await devices.createProfile(aProfile({ firmwareId: gone }))).toEqual(refused('PACKAGE_ABSENT'));
      expect(await devices.updateProfile({ ...profile, softwareId: gone })).toEqual(refused('PACKAGE_ABSENT'));
      expect(await devices.getDevice(device.id)).toEqual(device);
      expect(await devices.getProfile(profile.id)).toEqual(profile);
    });

    it('finds the devices of a profile step by step, each at least once', async () => {
      const [profile, other] = [await store.profile(), await store.profile()];
      const devices = await Promise.all(Array.from({ length: 57 }, () => store.device({}, { profile })));
      for (let n = 0; n < 5; n++) await store.device({}, { profile: other });
      const found = new Map<string, Device>();
      let [cursor, steps] = ['', 0];
      do {
        const step = await store.state.devices.devicesOfProfile(profile.id, cursor, 10);
        for (const device of step.devices) found.set(device.id, device);
        cursor = step.cursor;
        steps++;
        if (steps === 2) await store.reopen();
      } while (cursor !== '');
      expect([...found.keys()].sort()).toEqual(devices.map(({ id }) => id).sort());
      expect(found.get(devices[0]?.id ?? '')).toEqual(devices[0]);
      const none = await store.state.devices.devicesOfProfile(randomUUID(), '', 10);
      expect(none.devices).toEqual([]);
    });

    it('still has it when it is opened again', async () => {
      const [ota, bytes] = [await made(), randomBytes(400_000)];
      const saved = accepted(await upload(ota.id, bytes));
      const cutOff = await firmware().beginData();
      await cutOff.write(randomBytes(300_000));
      await store.reopen();
      expect(await firmware().get(ota.id)).toEqual(saved);
      expect((await firmware().read(saved.dataId ?? '', 0, 400_000))?.equals(bytes)).toBe(true);
    });
  });
}

const fileOf = ({ length }: Buffer) => ({
  fileName: 'fw.bin',
  contentType: 'application/octet-stream',
  checksumAlgorithm: 'SHA256' as const,
  checksum: 'ab'.repeat(32),
  dataSize: length,
});

const newData = (
  packageId: string,
  length: number,
): Parameters<Awaited<ReturnType<FirmwareStore['beginData']>>['commit']>[0] => ({
  packageId,
  file: fileOf(Buffer.alloc(length)),
  tenantMaxBytes: UNLIMITED,
});

const refused = (conflict: Extract<Written<never>, { readonly ok: false }>['conflict']) => ({ ok: false, conflict });
