import { aDevice, aProfile, credentialsOf, TENANT_ID } from '@tandem/core/testing';
import { Keys } from '../keys';
import { type RedisServer, startRedis } from '../testing/redis-server';
import { DeafWakes, RegistryProcess } from './testing/registry-process';

const keys = new Keys('t');

describe('Lists of devices', () => {
  let server: RedisServer;
  const processes: RegistryProcess[] = [];
  /** Deaf: what a list shows must not depend on a message that can get lost. */
  const start = async (name: string) => {
    const process = await RegistryProcess.start(server, keys, name, { wakes: new DeafWakes() });
    processes.push(process);
    return process;
  };
  const names = async ({ devices }: RegistryProcess, textSearch?: string) => {
    const query = { page: 0, pageSize: 100, sortProperty: 'name', sortOrder: 'ASC', textSearch } as const;
    return (await devices.listDevices(TENANT_ID, query)).data.map(({ name }) => name);
  };
  const profile = aProfile();
  const create = async ({ devices }: RegistryProcess, name: string) => {
    const device = aDevice(profile, { name });
    await devices.createDevice(device, credentialsOf(device));
    return device;
  };
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => server.cli('FLUSHALL'));
  afterEach(() => Promise.all(processes.splice(0).map((process) => process.close())));
  afterAll(() => server.stop());

  it('show what another process wrote before, told of it or not', async () => {
    const [writer, reader] = [await start('writer'), await start('reader')];
    await writer.devices.createProfile(profile);
    const a = await create(writer, 'a');
    expect(await names(reader)).toEqual(['a']);
    await create(writer, 'b');
    expect(await names(reader)).toEqual(['a', 'b']);
    await writer.devices.updateDevice({ ...a, name: 'c' });
    expect(await names(reader)).toEqual(['b', 'c']);
    expect(await names(reader, 'C')).toEqual(['c']);
    await writer.devices.updateProfile({ ...profile, name: 'renamed' });
    const { data } = await reader.devices.listDevices(TENANT_ID, { page: 0, pageSize: 1 });
    expect(data.map(({ type }) => type)).toEqual(['renamed']);
    await writer.devices.deleteDevice(a.id);
    expect(await names(reader)).toEqual(['b']);
    expect(reader.heard).not.toContainEqual({ kind: 'missed' });
  });

  it('show what was written while no change was heard, also when too much of it is forgotten by now', async () => {
    const [writer, reader] = [await start('writer'), await start('reader')];
    await writer.devices.createProfile(profile);
    await create(writer, 'a');
    await names(reader);
    await Promise.all(['b', 'c', 'd'].map((name) => create(writer, name)));
    await server.cli('XTRIM', keys.registry('changes'), 'MAXLEN', '1');
    expect(await names(reader)).toEqual(['a', 'b', 'c', 'd']);
    expect(reader.heard).toEqual([{ kind: 'missed' }]);
    expect(writer.heard).toEqual([]);
  });

  it('show what there is after Redis was restarted empty', async () => {
    const one = await start('one');
    await one.devices.createProfile(profile);
    await create(one, 'a');
    expect(await names(one)).toEqual(['a']);
    await server.cli('FLUSHALL');
    expect(await names(one)).toEqual([]);
  });

  it('are refused while Redis does not answer', async () => {
    const one = await start('one');
    await one.devices.createProfile(profile);
    await create(one, 'a');
    await names(one);
    await one.commands.close();
    await expect(names(one)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('take many devices made at once, without any session being told to read anew', async () => {
    const [writer, reader] = [await start('writer'), await start('reader')];
    await writer.devices.createProfile(profile);
    await names(reader);
    const made = Array.from({ length: 1_200 }, (_, n) => `device ${n}`);
    await Promise.all(made.map((name) => create(writer, name)));
    const { totalElements } = await reader.devices.listDevices(TENANT_ID, { page: 0, pageSize: 1 });
    expect(totalElements).toBe(made.length);
    expect([reader.heard, writer.heard]).toEqual([[], []]);
  });
});
