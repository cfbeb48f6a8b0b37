import type { DeviceSession } from '../auth/device-session';
import type { Core } from '../core';
import { type Device, NULL_UUID } from '../devices/model';
import { over, useCore } from '../devices/testing/core-under-test';
import { stringValue, trustedValue } from '../payload/value';
import { systemRandom } from '../platform/random';
import type { ClaimingUser } from './claiming';

const DAY = 86_400_000;
const used = useCore();
let session: DeviceSession;
beforeEach(async () => {
  session = await used.device('sensor');
});

/** A user of a customer, each time another one. */
const aUser = (given: Partial<ClaimingUser> = {}): ClaimingUser => ({
  id: systemRandom.uuid(),
  tenantId: used.tenantId,
  customerId: systemRandom.uuid(),
  authority: 'CUSTOMER_USER',
  ...given,
});

const device = async (): Promise<Device | undefined> => used.core.state.devices.getDevice(session.deviceId);
const claim = async (secret: string, user = aUser(), core: Core = used.core) =>
  (await core.claiming.claim(user, 'sensor', secret)).response;
const attribute = (key: string, text: string) =>
  used.core.attributes.saveFromServer(session.deviceId, 'SERVER', [{ key, value: trustedValue(text) }]);
const attributeKeys = async () => (await used.core.attributes.read(session.deviceId, 'SERVER')).map(({ key }) => key);

describe('A device that can be claimed', () => {
  it.each([
    ['a secret', { secretKey: 'value' }, 'value'],
    ['none', {}, ''],
  ])('with %s goes to the customer of the user who knows it', async (_how, request, secret) => {
    await used.core.claiming.register(session, request);
    const user = aUser();
    const outcome = await used.core.claiming.claim(user, 'sensor', secret);
    expect(outcome).toEqual({ response: 'SUCCESS', device: await device() });
    expect((await device())?.customerId).toBe(user.customerId);
    expect(await used.core.state.claims.get(session.deviceId)).toBeUndefined();
    expect(await claim(secret, user)).toBe('CLAIMED');
    expect(await claim('other')).toBe('CLAIMED');
  });

  it.each([
    [60_000, 60_000],
    [undefined, DAY],
    [0, DAY],
    [-5, DAY],
    [1, 1],
  ])('for %s ms can be claimed for %i ms, and no longer', async (durationMs, life) => {
    const name = session.deviceId;
    for (const [after, expected] of [
      [life - 1, 'SUCCESS'],
      [life, 'FAILURE'],
    ] as const) {
      session = await used.device(`${name} ${after}`);
      await used.core.claiming.register(session, { secretKey: 'k', durationMs });
      used.clock.advance(after);
      expect((await used.core.claiming.claim(aUser(), `${name} ${after}`, 'k')).response).toBe(expected);
    }
  });

  it('loses its claim by a wrong secret, so that the right one comes too late', async () => {
    await used.core.claiming.register(session, { secretKey: 'right' });
    expect(await claim('wrong')).toBe('FAILURE');
    expect(await claim('right')).toBe('FAILURE');
    await used.core.claiming.register(session, { secretKey: 'right' });
    expect(await claim('right')).toBe('SUCCESS');
  });

  it('keeps the secret it named first until that has expired', async () => {
    await used.core.claiming.register(session, { secretKey: 'first', durationMs: 1_000 });
    await used.core.claiming.register(session, { secretKey: 'second' });
    used.clock.advance(1_000);
    await used.core.claiming.register(session, { secretKey: 'third' });
    expect(await claim('third')).toBe('SUCCESS');
  });

  it('of two customers who claim it at once, at two processes, one gets it', async () => {
    const there = used.another();
    for (let round = 0; round < 10; round++) {
      const { deviceId } = session;
      await used.core.claiming.register(session, { secretKey: 'k' });
      const users = [aUser(), aUser(), aUser(), aUser()];
      const claims = users.map((user, n) => claim('k', user, n % 2 ? there : used.core));
      const responses = await Promise.all(claims);
      expect(responses.filter((response) => response === 'SUCCESS')).toHaveLength(1);
      expect(responses.filter((response) => response === 'CLAIMED')).toHaveLength(3);
      expect((await device())?.customerId).toBe(users[responses.indexOf('SUCCESS')]?.customerId);
      await used.core.devices.delete(used.tenantId, deviceId);
      session = await used.device('sensor');
    }
  });

  it('is CLAIMED for who comes too late while it is looked for the claim, and that counts as no failure', async () => {
    for (const prepare of [
      () => used.core.claiming.register(session, { secretKey: 'k' }),
      () => attribute('claimingData', JSON.stringify({ secretKey: 'k', expirationTime: used.clock.now() + 1_000 })),
    ]) {
      await prepare();
      const taken: (number | undefined)[] = [];
      const there = used.another((state) => ({
        ...state,
        claims: over(state.claims, {
          async get(deviceId) {
            expect(await claim('k')).toBe('SUCCESS');
            return state.claims.get(deviceId);
          },
        }),
        rateCounters: over(state.rateCounters, {
          take(owner, demands, now) {
            taken.push(demands[0]?.cost);
            return state.rateCounters.take(owner, demands, now);
          },
        }),
      }));
      expect(await claim('k', aUser(), there)).toBe('CLAIMED');
      expect(taken).toEqual([1, -1]);
      await used.core.devices.delete(used.tenantId, session.deviceId);
      session = await used.device('sensor');
    }
  });

  it('goes to its customer also when somebody changes it meanwhile', async () => {
    await used.core.claiming.register(session, { secretKey: 'k' });
    let changes = 2;
    const there = used.another((state) => ({
      ...state,
      claims: over(state.claims, {
        async assign(given, restsOn) {
          const change = { id: given.id, name: 'sensor', label: `${--changes}` };
          if (changes >= 0) await used.core.devices.update(used.tenantId, change);
          return state.claims.assign(given, restsOn);
        },
      }),
    }));
    expect(await claim('k', aUser(), there)).toBe('SUCCESS');
    expect(await device()).toMatchObject({ label: '0', version: 4 });
  });

  it('is gone where it is deleted, and its name is unknown', async () => {
    await used.core.claiming.register(session, { secretKey: 'k' });
    await used.core.devices.delete(used.tenantId, session.deviceId);
    await expect(claim('k')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await used.device('sensor');
    expect(await claim('k')).toBe('FAILURE');
  });

  it('is unknown to users of another tenant', async () => {
    await used.core.claiming.register(session, {});
    const stranger = aUser({ tenantId: systemRandom.uuid() });
    await expect(claim('', stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(used.core.claiming.reclaim(stranger, 'sensor')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await device())?.customerId).toBe(NULL_UUID);
  });

  it('does not go to a user who has no customer', async () => {
    await used.core.claiming.register(session, {});
    await expect(claim('', aUser({ customerId: NULL_UUID }))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(await claim('')).toBe('SUCCESS');
  });

  it('keeps no secret where somebody could read it', async () => {
    await used.core.claiming.register(session, { secretKey: 'TOP-SECRET' });
    expect(JSON.stringify(await used.core.state.claims.get(session.deviceId))).not.toContain('TOP-SECRET');
  });
});

describe('A device that has not said that it can be claimed', () => {
  it('is not given to anybody, and is CLAIMED where it has a customer', async () => {
    expect(await claim('')).toBe('FAILURE');
    const owned = await device();
    if (owned) await used.core.state.devices.updateDevice({ ...owned, customerId: systemRandom.uuid() });
    expect(await claim('')).toBe('CLAIMED');
    await used.core.claiming.register(session, {});
    expect(await used.core.state.claims.get(session.deviceId)).toBeUndefined();
  });
});

describe('The attribute claimingData', () => {
  const data = (given: object) =>
    JSON.stringify({ secretKey: 'k', expirationTime: used.clock.now() + 1_000, ...given });

  it.each([
    ['as JSON', (text: string) => text],
    ['as a string', (text: string) => String(stringValue(text))],
  ])(
    '%s makes a device one that can be claimed; with the claim it goes, and claimingAllowed as well',
    async (_how, form) => {
      await attribute('claimingData', form(data({})));
      await attribute('claimingAllowed', 'true');
      await attribute('kept', '1');
      expect(await claim('wrong')).toBe('FAILURE');
      expect(await claim('k')).toBe('SUCCESS');
      expect(await attributeKeys()).toEqual(['kept']);
    },
  );

  it.each([
    ['an empty secret', { secretKey: null }, '', 'SUCCESS'],
    ['no secret', { secretKey: undefined }, '', 'SUCCESS'],
    ['a time that is over', { expirationTime: 1 }, 'k', 'FAILURE'],
    ['no time', { expirationTime: undefined }, 'k', 'FAILURE'],
    ['a secret that is no text', { secretKey: { $gt: '' } }, '', 'FAILURE'],
  ])('with %s', async (_what, given, secret, response) => {
    await attribute('claimingData', data(given));
    expect(await claim(secret)).toBe(response);
  });

  it.each(['1', 'true', '"text"', '[]', '"{"', '"null"'])('that is %s is as none', async (text) => {
    await attribute('claimingData', text);
    expect(await claim('')).toBe('FAILURE');
  });

  it('stands behind what the device has said itself', async () => {
    await attribute('claimingData', data({}));
    await used.core.claiming.register(session, { secretKey: 'own' });
    expect(await claim('k')).toBe('FAILURE');
    expect(await claim('k')).toBe('SUCCESS');
  });
});

describe('Taking a device back', () => {
  const admin = () => aUser({ authority: 'TENANT_ADMIN', customerId: NULL_UUID });

  it.each(['its customer', 'an administrator'])(
    'is for %s, and then it must say again that it can be claimed',
    async (who) => {
      const owner = aUser();
      await used.core.claiming.register(session, { secretKey: 'k' });
      await claim('k', owner);
      await used.core.claiming.reclaim(who === 'its customer' ? owner : admin(), 'sensor');
      expect((await device())?.customerId).toBe(NULL_UUID);
      expect(await claim('k')).toBe('FAILURE');
      expect(await attributeKeys()).not.toContain('claimingAllowed');
      await used.core.claiming.register(session, { secretKey: 'k' });
      expect(await claim('k')).toBe('SUCCESS');
    },
  );

  it('is not for another customer', async () => {
    await used.core.claiming.register(session, {});
    await claim('');
    await expect(used.core.claiming.reclaim(aUser(), 'sensor')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    expect((await device())?.customerId).not.toBe(NULL_UUID);
  });

  it('changes nothing of a device without a customer, but an administrator ends its claim', async () => {
    await used.core.claiming.register(session, { secretKey: 'k' });
    const before = await device();
    await used.core.claiming.reclaim(aUser(), 'sensor');
    expect(await used.core.state.claims.get(session.deviceId)).toBeDefined();
    await used.core.claiming.reclaim(admin(), 'sensor');
    expect(await used.core.state.claims.get(session.deviceId)).toBeUndefined();
    expect(await device()).toEqual(before);
  });
});

describe('Users who try secrets', () => {
  const limited = useCore({ TANDEM_CLAIM_FAILURES: '3:60' });
  const attempt = (user: ClaimingUser, name: string, secret: string) =>
    limited.core.claiming.claim(user, name, secret).then(
      ({ response }) => response,
      (error: { code: string }) => error.code,
    );
  const user = (): ClaimingUser => aUser({ tenantId: limited.tenantId });

  it('have so many tries, wrong secrets and unknown devices alike, each for himself; then they wait', async () => {
    await limited.device('a');
    const [one, other] = [user(), user()];
    expect(await attempt(one, 'a', 'x')).toBe('FAILURE');
    expect(await attempt(one, 'unknown', 'x')).toBe('NOT_FOUND');
    expect(await attempt(one, 'a', 'x')).toBe('FAILURE');
    await expect(limited.core.claiming.claim(one, 'a', 'x')).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      retryAfter: 20_000,
      message: 'Too many claims that failed! At most 3 in 60 s',
    });
    expect(await attempt(other, 'a', 'x')).toBe('FAILURE');
    expect(limited.gauge('tandem_limit_hits_total', { limit: 'TANDEM_CLAIM_FAILURES' })).toBe(1);
    limited.clock.advance(20_000);
    expect(await attempt(one, 'a', 'x')).toBe('FAILURE');
    expect(await attempt(one, 'a', 'x')).toBe('TOO_MANY_REQUESTS');
  });

  it('for one public customer are one user, whatever others have tried', async () => {
    await limited.device('a');
    const everybody = { id: NULL_UUID, customerId: systemRandom.uuid() };
    const [one, other] = [
      { ...user(), ...everybody },
      { ...user(), id: NULL_UUID },
    ];
    for (let n = 0; n < 3; n++) expect(await attempt(one, 'a', 'x')).toBe('FAILURE');
    expect(await attempt(one, 'a', 'x')).toBe('TOO_MANY_REQUESTS');
    expect(await attempt(other, 'a', 'x')).toBe('FAILURE');
  });

  it('get no more of them at once, also at two processes', async () => {
    await limited.device('a');
    const there = limited.another();
    const one = user();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => (n % 2 ? there : limited.core).claiming.claim(one, 'a', 'x')),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('are not held up by claims that succeed, however many', async () => {
    const one = user();
    for (let n = 0; n < 10; n++) {
      await limited.core.claiming.register(await limited.device(`device ${n}`), {});
      expect(await attempt(one, `device ${n}`, '')).toBe('SUCCESS');
      expect(await attempt(one, `device ${n}`, '')).toBe('CLAIMED');
    }
  });
});

describe('Without claiming by default', () => {
  const strict = useCore({ SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT: 'false' });
  const allow = (deviceId: string, text: string) =>
    strict.core.attributes.saveFromServer(deviceId, 'SERVER', [{ key: 'claimingAllowed', value: trustedValue(text) }]);

  it.each([
    [undefined, 'FAILURE'],
    ['false', 'FAILURE'],
    ['"true"', 'FAILURE'],
    ['1', 'FAILURE'],
    ['true', 'SUCCESS'],
  ])('a device with claimingAllowed = %s: %s', async (allowed, response) => {
    const own = await strict.device('own');
    if (allowed) await allow(own.deviceId, allowed);
    await strict.core.claiming.register(own, { secretKey: 'k' });
    const outcome = await strict.core.claiming.claim(aUser({ tenantId: strict.tenantId }), 'own', 'k');
    expect(outcome.response).toBe(response);
  });

  it('a device that was taken back may be claimed again', async () => {
    const own = await strict.device('own');
    await allow(own.deviceId, 'true');
    for (let n = 0; n < 2; n++) {
      const user = aUser({ tenantId: strict.tenantId });
      await strict.core.claiming.register(own, {});
      expect((await strict.core.claiming.claim(user, 'own', '')).response).toBe('SUCCESS');
      expect(await strict.core.attributes.read(own.deviceId, 'SERVER', ['claimingAllowed'])).toEqual([]);
      await strict.core.claiming.reclaim(user, 'own');
    }
  });
});
