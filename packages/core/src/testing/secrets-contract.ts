import type { Device, DeviceProfile, User } from '../devices/model';
import { systemRandom } from '../platform/random';
import { makeSecretBox, type SecretBox } from '../platform/secret-box';
import type { State } from '../state/state';
import { aDevice, anApiKey, aProfile, aUser, CREATED, credentialsOf, userCredentialsOf } from './builders';
import { accepted } from './store-under-test';

const [NEW, OLD, STRANGE] = ['a', 'b', 'c'] as const;

/** @param keys hexadecimal digits, each for the key that consists of it */
export const sealingBox = (...keys: readonly string[]): SecretBox =>
  makeSecretBox(
    (keys.length > 0 ? keys : [NEW]).map((digit) => Buffer.from(digit.repeat(64), 'hex')),
    systemRandom,
  );

/** A store whose contents can be looked at. */
export interface SecretsUnderTest {
  /** Opens it with these keys. It is closed by the suite. */
  open(box?: SecretBox): Promise<State>;
  /** Everything that it holds, as it stands there. Asked for when it is closed, and what is not needed was cleared away. */
  contents(): Promise<Buffer>;
  /** Puts what is stored as credentials of one device where those of another stand. */
  copyCredentials(from: string, to: string): Promise<void>;
  destroy(): Promise<void>;
}

/** Texts that are secret, each to be found where it stands in clear, and nowhere else. */
const SECRETS = {
  token: 'secret-access-token',
  mqttPassword: 'secret-mqtt-password',
  provisionKey: 'secret-provision-key',
  provisionSecret: 'secret-provision-secret',
  passwordHash: 'scrypt$1$1$1$secret$hash',
  activation: 'secret-activation-token',
  claim: 'secret-claim-hash',
} as const;

const CLAIM = { secretHash: SECRETS.claim, expirationTime: CREATED + 1 };

interface Written {
  readonly profile: DeviceProfile;
  readonly byToken: Device;
  readonly byPassword: Device;
  readonly user: User;
  /** In base64, as it is stored. */
  readonly signing: string;
}

async function writeSecrets({ devices, accounts, claims, secret }: State): Promise<Written> {
  const profileData = `{"provisionConfiguration":{"provisionDeviceSecret":"${SECRETS.provisionSecret}"}}`;
  const profile = accepted(
    await devices.createProfile(aProfile({ provisionDeviceKey: SECRETS.provisionKey, profileData })),
  );
  const [byToken, byPassword] = [aDevice(profile), aDevice(profile)];
  accepted(await devices.createDevice(byToken, credentialsOf(byToken, { credentialsId: SECRETS.token })));
  const mqtt = { credentialsType: 'MQTT_BASIC', credentialsValue: `{"password":"${SECRETS.mqttPassword}"}` } as const;
  accepted(await devices.createDevice(byPassword, credentialsOf(byPassword, mqtt)));
  const user = aUser();
  const activation = { token: SECRETS.activation, expiresAt: CREATED };
  const credentials = userCredentialsOf(user, { passwordHash: SECRETS.passwordHash, activation });
  accepted(await accounts.createUser(user, credentials));
  accepted(await accounts.createApiKey(anApiKey(user), 10));
  expect(await claims.register(byToken.id, CLAIM, CREATED)).toBe(true);
  return { profile, byToken, byPassword, user, signing: (await secret('jwt')).toString('base64') };
}

async function requireShown({ devices, accounts, claims, secret }: State, written: Written): Promise<void> {
  const { profile, byToken, byPassword, user, signing } = written;
  const resolved = await devices.resolveCredentials(SECRETS.token);
  expect(resolved).toMatchObject({
    device: { id: byToken.id },
    credentials: { credentialsId: SECRETS.token },
    profile: { provisionDeviceKey: SECRETS.provisionKey },
  });
  expect((await devices.getCredentials(byPassword.id))?.credentialsValue).toContain(SECRETS.mqttPassword);
  expect(await devices.getProfile(profile.id)).toEqual(profile);
  expect(await devices.findProfileByProvisionKey(SECRETS.provisionKey)).toEqual(profile);
  const { profileData: _, ...info } = profile;
  const listed = await devices.listProfiles(profile.tenantId, { page: 0, pageSize: 10 });
  expect(listed.data).toEqual([info]);
  expect(await claims.get(byToken.id)).toEqual(CLAIM);
  const account = await accounts.findAccountByActivation(SECRETS.activation);
  expect(account).toMatchObject({ user: { id: user.id }, credentials: { passwordHash: SECRETS.passwordHash } });
  expect((await secret('jwt')).toString('base64')).toBe(signing);
}

export function describeSecretsAtRest(name: string, make: () => Promise<SecretsUnderTest>): void {
  describe(`Secrets in ${name}`, () => {
    let store: SecretsUnderTest;
    let open: State[] = [];
    const opened = async (box?: SecretBox): Promise<State> => {
      const state = await store.open(box);
      open.push(state);
      return state;
    };
    const closed = async (): Promise<void> => {
      for (const state of open.splice(0)) await state.close();
    };
    /** Which secrets can be found. */
    const found = async (signing: string): Promise<string[]> => {
      await closed();
      const contents = await store.contents();
      const all = { ...SECRETS, signing };
      return Object.entries(all).flatMap(([secret, text]) => (contents.includes(text) ? secret : []));
    };
    beforeEach(async () => {
      open = [];
      store = await make();
    });
    afterEach(async () => {
      await closed();
      await store.destroy();
    });

    it('stand there in clear without a key', async () => {
      const state = await opened();
      const { signing } = await writeSecrets(state);
      await expect(state.sealSecrets()).rejects.toThrow('TANDEM_SECRET_KEY_FILE');
      expect(await found(signing)).toEqual([...Object.keys(SECRETS), 'signing']);
    });

    it('are nowhere to be found with a key, and are shown as ever', async () => {
      const state = await opened(sealingBox(NEW));
      const written = await writeSecrets(state);
      await requireShown(state, written);
      expect(await found(written.signing)).toEqual([]);
      await requireShown(await opened(sealingBox(NEW)), written);
    });

    it('that stand in clear are read with a key, sealed when they are written, and all of them by a pass', async () => {
      const written = await writeSecrets(await opened());
      await closed();
      const state = await opened(sealingBox(NEW));
      await requireShown(state, written);
      const credentials = await state.devices.getCredentials(written.byPassword.id);
      if (!credentials) throw new Error('the credentials are gone');
      accepted(await state.devices.updateCredentials(credentials));
      expect(await found(written.signing)).not.toContain('mqttPassword');
      const again = await opened(sealingBox(NEW));
      // Token, claim, profile's key and data, user, signing key.
      expect(await again.sealSecrets()).toBe(6);
      expect(await again.sealSecrets()).toBe(0);
      await requireShown(again, written);
      expect(await found(written.signing)).toEqual([]);
      await requireShown(await opened(sealingBox(NEW)), written);
    });

    it('of a former key are read, and after a pass need the former key no more', async () => {
      const written = await writeSecrets(await opened(sealingBox(OLD)));
      await closed();
      await opened(sealingBox(OLD, NEW));
      await closed();
      const state = await opened(sealingBox(NEW, OLD));
      await requireShown(state, written);
      await closed();
      await expect(opened(sealingBox(NEW))).rejects.toThrow('is not in the file');
      await expect(opened(sealingBox(OLD))).rejects.toThrow('is not in the file');
      const again = await opened(sealingBox(NEW, OLD));
      expect(await again.sealSecrets()).toBe(7);
      await closed();
      await requireShown(await opened(sealingBox(NEW)), written);
      await closed();
      await expect(opened(sealingBox(OLD))).rejects.toThrow('is not in the file');
    });

    it('stop a start that has no key, or another, in one line that names the setting', async () => {
      await opened(sealingBox(OLD));
      await closed();
      for (const box of [undefined, sealingBox(STRANGE)]) {
        const refused = await opened(box).catch((error: unknown) => error);
        expect(refused).toMatchObject({ name: 'SecretKeyError' });
        expect(String(refused)).toMatch(/^[^\n]*\(TANDEM_SECRET_KEY_FILE\)$/);
      }
      await opened(sealingBox(OLD));
    });

    it('of one device do not stand for another that they are copied to', async () => {
      const state = await opened(sealingBox(NEW));
      const { byToken, byPassword } = await writeSecrets(state);
      await store.copyCredentials(byPassword.id, byToken.id);
      await expect(state.devices.getCredentials(byToken.id)).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(state.devices.resolveCredentials(SECRETS.token)).rejects.toMatchObject({ code: 'INTERNAL' });
      await expect(state.sealSecrets()).rejects.toThrow(`(credentials ${byToken.id})`);
    });

    it('that do not open are replaced by others, and what was there before opens nothing', async () => {
      const state = await opened(sealingBox(NEW));
      const { byToken, byPassword } = await writeSecrets(state);
      const renewed = credentialsOf(byToken, { credentialsId: 'renewed-token' });
      expect(await state.devices.replaceSpoiltCredentials(renewed)).toEqual({ ok: false, conflict: 'VERSION' });
      await store.copyCredentials(byPassword.id, byToken.id);
      expect(await state.devices.replaceSpoiltCredentials(renewed)).toMatchObject({ ok: true });
      expect(await state.devices.resolveCredentials('renewed-token')).toMatchObject({ device: { id: byToken.id } });
      expect(await state.devices.resolveCredentials(SECRETS.token)).toBeUndefined();
      expect(await state.sealSecrets()).toBe(0);
    });

    it('that do not open hold up neither the sealing of the others nor the deletion of their device', async () => {
      const first = await opened(sealingBox(OLD));
      const { byToken, byPassword } = await writeSecrets(first);
      await store.copyCredentials(byPassword.id, byToken.id);
      await closed();
      const state = await opened(sealingBox(NEW, OLD));
      const spoilt = `1 secrets do not open and stay as they are (credentials ${byToken.id})`;
      await expect(state.sealSecrets()).rejects.toThrow(spoilt);
      expect(await state.devices.deleteDevice(byToken.id)).toMatchObject({ ok: true });
      expect(await state.sealSecrets()).toBe(0);
      await closed();
      const again = await opened(sealingBox(NEW));
      expect((await again.devices.getCredentials(byPassword.id))?.credentialsValue).toContain(SECRETS.mqttPassword);
    });
  });
}
