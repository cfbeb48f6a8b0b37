import { verifyPassword } from '../accounts/passwords';
import { NULL_UUID } from '../devices/model';
import type { RpcStatus } from '../state/rpc-store';
import type { State } from '../state/state';
import { CREATED, TENANT_ID } from './builders';

/** Records as the version before users' credentials, texts of profile data and lists of persistent commands wrote them. */

const USER_ID = '00000000-0000-4000-8000-000000000001';
const PROFILE_ID = '00000000-0000-4000-8000-000000000002';
const DEVICE_ID = '00000000-0000-4000-8000-000000000003';
const PASSWORD_HASH = 'scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$nkcVsdPQYYbY1lBYliQi7resBy9GV3jXaj2B63aOrX8=';
const LAPSES = CREATED + 60_000;

function formerCommand(n: number, status: RpcStatus, persistent: boolean) {
  return {
    id: `00000000-0000-4000-8000-0000000001${n}0`,
    tenantId: TENANT_ID,
    deviceId: DEVICE_ID,
    createdTime: CREATED + n,
    expirationTime: LAPSES,
    oneway: false,
    persistent,
    method: `method ${n}`,
    params: '{"createdTime":1}',
    retries: 0,
    additionalInfo: null,
    requestId: n,
    status,
    attempts: 0,
    response: null,
    responseIsJson: false,
    heldUntil: 0,
  };
}

export const FORMER = {
  tenant: { id: TENANT_ID, createdTime: CREATED, title: 'Former', version: 1 },
  user: {
    id: USER_ID,
    createdTime: CREATED,
    tenantId: TENANT_ID,
    customerId: NULL_UUID,
    email: 'former@example.org',
    authority: 'TENANT_ADMIN',
    firstName: null,
    lastName: null,
    enabled: true,
    passwordHash: PASSWORD_HASH,
    version: 3,
  },
  profile: {
    id: PROFILE_ID,
    createdTime: CREATED,
    tenantId: TENANT_ID,
    name: 'default',
    description: null,
    isDefault: true,
    transportType: 'COAP',
    provisionType: 'DISABLED',
    provisionDeviceKey: null,
    profileData: {
      configuration: { type: 'DEFAULT' },
      transportConfiguration: {
        type: 'COAP',
        coapDeviceTypeConfiguration: {
          coapDeviceType: 'DEFAULT',
          transportPayloadTypeConfiguration: { transportPayloadType: 'PROTOBUF' },
        },
      },
    },
    version: 1,
  },
  device: {
    id: DEVICE_ID,
    createdTime: CREATED,
    tenantId: TENANT_ID,
    customerId: NULL_UUID,
    name: 'meter',
    type: 'default',
    label: null,
    deviceProfileId: PROFILE_ID,
    additionalInfo: null,
    version: 1,
  },
  credentials: {
    id: '00000000-0000-4000-8000-000000000004',
    createdTime: CREATED,
    deviceId: DEVICE_ID,
    credentialsType: 'ACCESS_TOKEN',
    credentialsId: 'former token',
    credentialsValue: null,
    version: 1,
  },
  rpcs: [
    formerCommand(0, 'SUCCESSFUL', true),
    formerCommand(1, 'QUEUED', false),
    formerCommand(2, 'QUEUED', true),
    formerCommand(3, 'DELIVERED', true),
  ],
} as const;

/** @param open a store of which somebody else has written {@link FORMER}, and that the surrounding tests close */
export function describeFormerRecords(open: () => Promise<State>): void {
  describe('What an earlier version wrote', () => {
    const { user, profile, device, rpcs } = FORMER;
    const ALL = { page: 0, pageSize: 10 };
    let state: State;
    beforeEach(async () => {
      state = await open();
    });

    it('lets a user in with his password, and does not show it with him', async () => {
      const account = await state.accounts.findAccountByEmail(user.email);
      expect(account?.credentials).toMatchObject({ userId: user.id, enabled: true, activation: null, generation: 1 });
      expect(await verifyPassword('former password', account?.credentials.passwordHash ?? null)).toBe(true);
      const { enabled: _, passwordHash: __, ...shown } = user;
      const current = { ...shown, phone: null, additionalInfo: null };
      expect(account?.user).toEqual(current);
      expect(await state.accounts.getUser(user.id)).toEqual(current);
      expect(await state.accounts.findUserByEmail(user.email)).toEqual(current);
      expect((await state.accounts.listUsers(TENANT_ID, {}, ALL)).data).toEqual([current]);
    });

    it.each(['user first', 'password first'])('keeps what becomes of a user: %s', async (order) => {
      const rename = async () => {
        const stored = await state.accounts.getUser(user.id);
        if (!stored) throw new Error('the user is gone');
        expect(await state.accounts.updateUser({ ...stored, firstName: 'New' })).toMatchObject({ ok: true });
      };
      const change = async () => {
        const account = await state.accounts.getAccount(user.id);
        if (!account) throw new Error('the account is gone');
        const credentials = { ...account.credentials, passwordHash: 'new', generation: 2 };
        expect(await state.accounts.updateUserCredentials(credentials)).toMatchObject({ ok: true });
        expect(await state.accounts.updateUserCredentials(credentials)).toEqual({ ok: false, conflict: 'VERSION' });
      };
      for (const step of order === 'user first' ? [rename, change] : [change, rename]) await step();
      const account = await state.accounts.getAccount(user.id);
      expect(account?.user).toMatchObject({ firstName: 'New', version: 4 });
      expect(account?.credentials).toMatchObject({ passwordHash: 'new', generation: 2, version: 2 });
      expect(await state.accounts.deleteUser(user.id)).toMatchObject({ ok: true });
      expect(await state.accounts.getAccount(user.id)).toBeUndefined();
    });

    it('shows tenants, profiles and devices with all their fields', async () => {
      const { profileData, ...info } = profile;
      // Its devices were served JSON, whatever its data say.
      const added = { coapDeviceType: 'DEFAULT', payloadType: 'JSON', firmwareId: null, softwareId: null } as const;
      const current = { ...info, ...added };
      const text = JSON.stringify(profileData);
      expect(await state.accounts.getTenant(TENANT_ID)).toMatchObject({ title: 'Former', region: null, country: null });
      expect((await state.devices.listProfiles(TENANT_ID, ALL)).data).toEqual([current]);
      expect(await state.devices.getProfileInfo(profile.id)).toEqual(current);
      expect(await state.devices.getProfile(profile.id)).toEqual({ ...current, profileData: text });
      const changed = await state.devices.updateProfile({ ...current, profileData: text, description: 'new' });
      expect(changed).toMatchObject({ ok: true });
      expect(await state.devices.getProfile(profile.id)).toMatchObject({ description: 'new', profileData: text });
      const wanted = { ...device, firmwareId: null, softwareId: null };
      expect(await state.devices.getDevice(device.id)).toEqual(wanted);
      expect((await state.devices.listDevices(TENANT_ID, ALL)).data).toEqual([wanted]);
      const resolved = await state.devices.resolveCredentials(FORMER.credentials.credentialsId);
      expect(resolved?.device.id).toBe(device.id);
    });

    it('lists persistent commands, and ends them in time', async () => {
      const kept = rpcs.filter(({ persistent }) => persistent);
      const list = (query = {}) => state.rpcs.list(device.id, { ...ALL, ...query });
      expect(await list({ sortOrder: 'ASC' })).toEqual({ data: kept, totalElements: 3 });
      const methods = async (query = {}) => (await list(query)).data.map(({ method }) => method);
      expect(await methods({ textSearch: 'METHOD 2' })).toEqual(['method 2']);
      expect(await state.rpcs.finished(LAPSES + 1, 10)).toEqual([rpcs[0].id]);
      await state.rpcs.transition(rpcs[2].id, ['QUEUED'], { status: 'FAILED', at: LAPSES + 1 });
      expect(await state.rpcs.finished(LAPSES + 2, 10)).toEqual([rpcs[0].id, rpcs[2].id]);
      expect(await state.rpcs.remove(rpcs[0].id)).toBe(true);
      expect(await methods({ sortOrder: 'ASC' })).toEqual(['method 2', 'method 3']);
    });

    it('lists a command that has changed since beside those that have not', async () => {
      await state.rpcs.transition(rpcs[3].id, ['DELIVERED'], { status: 'SUCCESSFUL', at: CREATED });
      const { data } = await state.rpcs.list(device.id, { ...ALL, sortOrder: 'ASC' });
      expect(data.map(({ requestId, status }) => [requestId, status])).toEqual([
        [0, 'SUCCESSFUL'],
        [2, 'QUEUED'],
        [3, 'SUCCESSFUL'],
      ]);
    });
  });
}
