import { TandemError } from '@tandem/core';
import { ADMIN, OTHER_ADMIN, SYSTEM_ADMIN } from '../testing/server-under-test';
import type { WebSocketClient } from '../testing/web-socket-client';
import { attributes, error, latest, sub, TELEMETRY, TELEMETRY_WITH_KEY, useWatchers } from './testing/watchers';

const watchers = useWatchers();
const { connect, device, post } = watchers;

describe('Who may not see a device', () => {
  const ABSENT = error(3, "Device with requested id wasn't found!");

  it.each([
    ['of another tenant', OTHER_ADMIN],
    ['of no tenant', SYSTEM_ADMIN],
  ])('is told that it is not there: an administrator %s', async (_whose, login) => {
    const id = await device();
    const other = await watchers.server.login(login);
    const client = await connect(`${TELEMETRY}?token=${other.token}`);
    client.send({ ...latest(id), ...attributes(id), historyCmds: [sub(id, { keys: 'a', startTs: 0, endTs: 9 })] });
    for (let n = 0; n < 3; n++) expect(await client.next()).toEqual(ABSENT);
    expect(client.unread).toEqual([]);
    client.send(latest('00000000-0000-4000-8000-000000000000'));
    expect(await client.next()).toEqual(ABSENT);
    await post(id, '{"a":1}');
    await watchers.server.core.state.materialiser.caughtUp();
    expect(client.unread).toEqual([]);
  });

  it('loses it when it is deleted', async () => {
    const id = await device();
    const client = await connect();
    client.send({ ...latest(id), ...attributes(id, { cmdId: 2 }) });
    await client.next();
    await client.next();
    await watchers.server.call('DELETE', `/api/device/${id}`, { token: watchers.token });
    for (const told of [await client.next(), await client.next()]) {
      expect(told).toEqual(error(3, "Device with requested id wasn't found!", told.subscriptionId));
    }
  });

  it('loses it when it is given to somebody else', async () => {
    const id = await device();
    const user = await watchers.server.addUser(`customer-${id}@example.org`, { customerId: systemUuid(1) });
    const stored = await watchers.server.core.state.devices.getDevice(id);
    if (!stored) throw new Error('the device is gone');
    await watchers.server.core.state.devices.updateDevice({ ...stored, customerId: user.customerId });
    const mine = await watchers.server.login(user.email);
    const client = await connect(`${TELEMETRY}?token=${mine.token}`);
    client.send(latest(id));
    expect(await client.next()).toMatchObject({ errorCode: 0 });
    await watchers.server.core.state.devices.updateDevice({ ...stored, customerId: systemUuid(2), version: 2 });
    expect(await client.next()).toEqual(error(3, "You don't have permission to perform this operation!"));
    client.send(latest(id, { cmdId: 2 }));
    expect((await client.next()).errorCode).toBe(3);
  });

  describe('where the store fails once', () => {
    const away = () => new TandemError('STORE_UNAVAILABLE');
    const given = async (id: string, customerId: string) => {
      const stored = await watchers.server.core.state.devices.getDevice(id);
      if (!stored) throw new Error('the device is gone');
      return { ...stored, customerId };
    };
    async function watching(customer: number): Promise<{ id: string; client: WebSocketClient }> {
      const id = await device();
      const user = await watchers.server.addUser(`once-${id}@example.org`, { customerId: systemUuid(customer) });
      await watchers.server.core.state.devices.updateDevice(await given(id, systemUuid(customer)));
      const client = await connect(`${TELEMETRY}?token=${(await watchers.server.login(user.email)).token}`);
      client.send(latest(id));
      expect(await client.next()).toMatchObject({ errorCode: 0 });
      return { id, client };
    }

    it('loses it all the same when it is given to somebody else', async () => {
      const { id, client } = await watching(3);
      const next = await given(id, systemUuid(4));
      const spy = jest.spyOn(watchers.server.core.state.devices, 'getDevice').mockRejectedValueOnce(away());
      await watchers.server.core.state.devices.updateDevice(next);
      await watchers.server.clock.timerOf(2_000);
      expect([spy.mock.calls.length, client.unread]).toEqual([1, []]);
      spy.mockRestore();
      watchers.server.clock.advance(2_000);
      expect(await client.next()).toEqual(error(3, "You don't have permission to perform this operation!"));
    });

    it('loses it within a minute though nothing of it was heard', async () => {
      const { id, client } = await watching(5);
      const next = await given(id, systemUuid(6));
      const spy = jest.spyOn(watchers.server.core.state.devices, 'getDevice');
      spy.mockRejectedValueOnce(away()).mockResolvedValue(next);
      watchers.server.clock.advance(60_000);
      await watchers.server.clock.timerOf(2_000);
      watchers.server.clock.advance(2_000);
      expect(await client.next()).toEqual(error(3, "You don't have permission to perform this operation!"));
      spy.mockRestore();
    });

    it('is told so where it only begins, whatever the fault, and the session goes on', async () => {
      const id = await device();
      const client = await connect();
      for (const fault of ['a fault', 'another']) {
        const spy = jest.spyOn(watchers.server.core.state.feed, 'watch').mockImplementationOnce(() => {
          throw new Error(fault);
        });
        client.send(latest(id));
        expect(await client.next()).toEqual(
          error(1, expect.stringMatching(/^Internal Server error! \(correlation id [0-9a-f]{12}\)$/)),
        );
        spy.mockRestore();
      }
      client.send(latest(id));
      expect((await client.next()).errorCode).toBe(0);
    });
  });

  it('is closed when the account is disabled', async () => {
    const id = await device();
    const user = await watchers.server.addUser(`disabled-${id}@example.org`, { authority: 'TENANT_ADMIN' });
    const mine = await watchers.server.login(user.email);
    const [client, bystander] = [await connect(`${TELEMETRY}?token=${mine.token}`), await connect()];
    for (const each of [client, bystander]) each.send(latest(id));
    await Promise.all([client.next(), bystander.next()]);
    await watchers.server.core.logins.setEnabled(user.id, false);
    expect(await client.closed).toBe('1008 Authentication failed');
    await post(id, '{"a":1}');
    expect((await bystander.next()).data?.a?.[0]?.[1]).toBe('1');
  });

  it.each([
    ['/api/ws?token=KEY', ''],
    [TELEMETRY_WITH_KEY, ''],
    ['/api/ws', ''],
    ['/api/ws', 'ApiKey '],
  ])('may log in with an API key, until that is disabled: %s %s', async (target, scheme) => {
    const admin = await watchers.server.core.state.accounts.findUserByEmail(ADMIN);
    if (!admin) throw new Error('there is no administrator');
    const request = { description: 'watching', expirationTime: 0, enabled: true };
    const { key, value } = await watchers.server.core.apiKeys.create(admin, request);
    const id = await device();
    const client = await connect(target.replace('KEY', value));
    if (target === '/api/ws') client.send({ authCmd: { cmdId: 0, token: scheme + value } });
    client.send(target === TELEMETRY_WITH_KEY ? attributes(id) : { cmds: [{ type: 'ATTRIBUTES', ...sub(id) }] });
    expect((await client.next()).errorCode).toBe(0);
    await watchers.server.core.apiKeys.update(key, { enabled: false });
    expect(await client.closed).toBe('1008 Authentication failed');
  });

  it('is closed when the user logs out', async () => {
    const { token: mine } = await watchers.server.login();
    const [client, other] = [await connect(`${TELEMETRY}?token=${mine}`), await connect()];
    const id = await device();
    for (const each of [client, other]) each.send(latest(id));
    await Promise.all([client.next(), other.next()]);
    expect((await watchers.server.call('POST', '/api/auth/logout', { token: mine })).status).toBe(200);
    expect(await client.closed).toBe('1008 Authentication failed');
    other.send(latest(id, { cmdId: 2 }));
    expect((await other.next()).errorCode).toBe(0);
  });

  it('is closed when the token expires', async () => {
    const { token: short } = await watchers.server.login(ADMIN);
    const client = await connect(`${TELEMETRY}?token=${short}`);
    client.send(latest(await device()));
    await client.next();
    watchers.server.clock.advance(9_001_000);
    expect(await client.closed).toBe('1008 Token has expired');
    await watchers.logIn();
  });
});

const systemUuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
