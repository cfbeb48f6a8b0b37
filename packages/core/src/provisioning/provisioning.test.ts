import type { Core } from '../core';
import { certificateId } from '../devices/device-credentials';
import type { DeviceProfile, ProvisionType } from '../devices/model';
import { over, useCore } from '../devices/testing/core-under-test';
import { TandemError } from '../errors';
import { stringValue } from '../payload/value';
import type { State } from '../state/state';
import { aProfile } from '../testing/builders';
import { CERTIFICATE, trimmed } from '../testing/certificates';
import type { ProvisionSource } from './provision-guard';
import type { ProvisionOutcome } from './provision-outcome';
import type { ProvisionRequest } from './provision-request';

const LOCK = 60_000;
const used = useCore({ TANDEM_PROVISION_MAX_FAILURES: '3', TANDEM_PROVISION_LOCK_TIME: `${LOCK}` });
const SOURCE = { address: '192.0.2.1', proved: true };
const from = (n: number) => ({ address: `198.51.100.${n}`, proved: true });
const STATE = { key: 'provisionState', value: stringValue('provisioned') };

let creating: DeviceProfile;
let checking: DeviceProfile;

beforeEach(async () => {
  creating = await profile('ka', 'sa', 'ALLOW_CREATE_NEW_DEVICES');
  checking = await profile('kc', 'sc', 'CHECK_PRE_PROVISIONED_DEVICES');
  await used.core.devices.create(used.tenantId, { name: 'pre1', type: checking.name }, { credentialsId: 'pretok' });
});

const profile = (key: string, secret: string, type: ProvisionType) => profileIn(used, key, secret, type);

async function profileIn(
  { core, tenantId }: Pick<typeof used, 'core' | 'tenantId'>,
  key: string,
  secret: string,
  provisionType: ProvisionType,
): Promise<DeviceProfile> {
  const profileData = JSON.stringify({
    provisionConfiguration: { type: provisionType, provisionDeviceSecret: secret },
  });
  const given = { tenantId, provisionType, provisionDeviceKey: key, profileData };
  const made = await core.state.devices.createProfile(aProfile(given));
  if (!made.ok) throw new Error(made.conflict);
  return made.value;
}

const asked = (given: Partial<ProvisionRequest>): ProvisionRequest => ({
  deviceName: '',
  key: 'ka',
  secret: 'sa',
  credentialsType: 'ACCESS_TOKEN',
  token: '',
  clientId: '',
  userName: '',
  password: '',
  hash: '',
  gateway: false,
  ...given,
});
const provision = (given: Partial<ProvisionRequest>, core: Core = used.core, source: ProvisionSource = SOURCE) =>
  core.provisioning.provision(asked(given), source);
const pre = { key: 'kc', secret: 'sc', deviceName: 'pre1' };
const found = (name: string) => used.core.devices.find(used.tenantId, name);
const stateOf = (outcome: ProvisionOutcome) =>
  outcome.status === 'SUCCESS' ? used.core.attributes.read(outcome.deviceId, 'SERVER', [STATE.key]) : [];
const token = (credentialsId: string) => ({ credentialsType: 'ACCESS_TOKEN', credentialsId, credentialsValue: null });

/** A store whose attributes fail as given. */
const failing = (part: Partial<State['attributes']>) =>
  used.another((state) => ({ ...state, attributes: over(state.attributes, part) }));
const unavailable = async () => {
  throw new TandemError('STORE_UNAVAILABLE');
};

describe('A device of a profile that lets new ones in', () => {
  it('is made with the credentials it is told, and is known to be provisioned', async () => {
    const outcome = await provision({ deviceName: ' n1 ' });
    const device = await found('n1');
    expect(outcome).toEqual({
      status: 'SUCCESS',
      deviceId: device?.id,
      credentials: token(expect.stringMatching(/^[A-Za-z0-9]{20}$/) as unknown as string),
    });
    expect(device).toMatchObject({ type: creating.name, deviceProfileId: creating.id, additionalInfo: null });
    expect(await stateOf(outcome)).toMatchObject([STATE]);
    const [active] = await used.core.attributes.read(device?.id ?? '', 'SERVER', ['active']);
    expect(active?.value).toBe('false');
  });

  it('gets a name where it brings none, and is a gateway where it says so', async () => {
    const outcome = await provision({ gateway: true });
    const { data } = await used.core.devices.list(used.tenantId, { page: 0, pageSize: 10, type: creating.name });
    expect(data).toMatchObject([
      { name: expect.stringMatching(/^[A-Za-z0-9]{20}$/), additionalInfo: '{"gateway":true}' },
    ]);
    expect(outcome).toMatchObject({ status: 'SUCCESS', deviceId: data[0]?.id });
  });

  it.each<[string, Partial<ProvisionRequest>, object]>([
    ['a token', { token: 'T9' }, token('T9')],
    [
      'a certificate',
      { credentialsType: 'X509_CERTIFICATE', hash: CERTIFICATE },
      {
        credentialsType: 'X509_CERTIFICATE',
        credentialsId: certificateId(trimmed(CERTIFICATE)),
        credentialsValue: trimmed(CERTIFICATE),
      },
    ],
    [
      'what it says to an MQTT broker',
      { credentialsType: 'MQTT_BASIC', userName: 'u', password: 'p' },
      {
        credentialsType: 'MQTT_BASIC',
        credentialsId: 'u',
        credentialsValue: '{"clientId":"","userName":"u","password":"p"}',
      },
    ],
    [
      'LwM2M',
      { credentialsType: 'LWM2M_CREDENTIALS' },
      { credentialsType: 'LWM2M_CREDENTIALS', credentialsId: expect.any(String), credentialsValue: null },
    ],
    ['a type for MQTT alone', { credentialsType: 'MQTT_BASIC' }, token(expect.any(String) as unknown as string)],
    ['a type for X.509 alone', { credentialsType: 'X509_CERTIFICATE' }, token(expect.any(String) as unknown as string)],
  ])('can bring %s', async (_what, given, credentials) => {
    const outcome = await provision({ deviceName: 'brings', ...given });
    expect(outcome).toMatchObject({ status: 'SUCCESS', credentials });
    const stored = await used.core.devices.credentials(used.tenantId, (await found('brings'))?.id ?? '');
    expect(stored).toMatchObject(credentials);
  });

  it('gets in with its token, and with nothing else', async () => {
    await provision({ token: 'T9' });
    expect(await used.core.auth.resolve('T9')).toMatchObject({ deviceType: creating.name });
    await provision({ credentialsType: 'MQTT_BASIC', userName: 'u' });
    await expect(used.core.auth.resolve('u')).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it.each<[string, Partial<ProvisionRequest>]>([
    ['a name that is taken', { deviceName: 'pre1' }],
    ['a name of white space', { deviceName: '   ' }],
    ['a name that is too long', { deviceName: 'x'.repeat(256) }],
    ['a name that cannot be stored', { deviceName: 'a\u0000' }],
    ['the token of another', { deviceName: 'n4', token: 'pretok' }],
    ['a token that is too long', { deviceName: 'n4', token: 'x'.repeat(256) }],
    ['a certificate that is none', { deviceName: 'n4', credentialsType: 'X509_CERTIFICATE', hash: 'MIIB' }],
    ['a password alone', { deviceName: 'n4', credentialsType: 'MQTT_BASIC', password: 'p' }],
    ['a client id and a password', { deviceName: 'n4', credentialsType: 'MQTT_BASIC', clientId: 'c', password: 'p' }],
  ])('is not made with %s, and nothing has changed', async (_what, given) => {
    expect(await provision(given)).toEqual({ status: 'FAILURE' });
    const { totalElements } = await used.core.devices.list(used.tenantId, { page: 0, pageSize: 10 });
    expect(totalElements).toBe(1);
  });

  it('is made once, by whatever process, when it asks many times at once', async () => {
    const there = used.another();
    const tries = Array.from({ length: 16 }, (_, n) =>
      provision({ deviceName: 'n1' }, n % 2 ? there : used.core, from(n)),
    );
    const ends = await Promise.allSettled(tries);
    const answers = ends.map((end) => (end.status === 'fulfilled' ? end.value.status : end.reason.code));
    expect(answers.filter((answer) => answer === 'SUCCESS')).toHaveLength(1);
    // Who asks while the first is under way is to come again.
    for (const answer of answers) expect(['SUCCESS', 'FAILURE', 'STORE_UNAVAILABLE']).toContain(answer);
    expect(await provision({ deviceName: 'n1' })).toEqual({ status: 'FAILURE' });
  });

  it('can try again when its attribute was not written', async () => {
    const core = failing({ saveServerIfAbsent: unavailable });
    await expect(provision({ deviceName: 'n1', token: 'T9' }, core)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryAfter: 1_000,
    });
    expect(await found('n1')).toBeUndefined();
    expect(await provision({ deviceName: 'n1', token: 'T9' })).toMatchObject({ status: 'SUCCESS' });
  });
});

describe('A device that was made before it was provisioned', () => {
  it('is told the credentials it has, whatever it brings, and only once', async () => {
    const outcome = await provision({ ...pre, credentialsType: 'X509_CERTIFICATE', hash: CERTIFICATE, token: 'mine' });
    expect(outcome).toMatchObject({ status: 'SUCCESS', credentials: token('pretok') });
    expect(await stateOf(outcome)).toMatchObject([STATE]);
    expect(await provision(pre)).toEqual({ status: 'FAILURE' });
  });

  it('is provisioned once, by whatever process, when it asks many times at once', async () => {
    const there = used.another();
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, (_, n) => provision(pre, n % 2 ? there : used.core, from(n))),
    );
    expect(outcomes.filter(({ status }) => status === 'SUCCESS')).toHaveLength(1);
    expect(outcomes.filter(({ status }) => status === 'FAILURE')).toHaveLength(15);
  });

  it.each<[string, Partial<ProvisionRequest>]>([
    ['there is none of its name', { deviceName: 'other' }],
    ['it names none', { deviceName: '' }],
    ['its name is white space', { deviceName: ' ' }],
  ])('is not provisioned where %s', async (_what, given) => {
    expect(await provision({ ...pre, ...given })).toEqual({ status: 'FAILURE' });
  });

  it('is not provisioned where it belongs to another profile', async () => {
    await used.core.devices.create(used.tenantId, { name: 'elsewhere' });
    expect(await provision({ ...pre, deviceName: 'elsewhere' })).toEqual({ status: 'FAILURE' });
  });

  it.each(['"no"', 'null', '0'])('is not provisioned while its attribute is %s', async (value) => {
    const { id = '' } = (await found('pre1')) ?? {};
    await used.core.state.attributes.save(id, 'SERVER', [{ key: 'provisionState', value: value as never }], 1);
    expect(await provision(pre)).toEqual({ status: 'FAILURE' });
  });

  it('can try again when the store did not take its attribute', async () => {
    await expect(provision(pre, failing({ saveServerIfAbsent: unavailable }))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await provision(pre)).toMatchObject({ status: 'SUCCESS' });
  });
});

describe('A device that was made by a process that died before it told it so', () => {
  /** What is left of it: the process never comes back from the write that it died in. */
  const die = async (given: Partial<ProvisionRequest> = {}) => {
    let reached = () => {};
    const reaches = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const never = () => new Promise<never>(() => reached());
    const dying = used.another((state) => ({
      ...state,
      attributes: over(state.attributes, { saveServerIfAbsent: never }),
    }));
    void provision({ deviceName: 'n1', ...given }, dying, { address: '192.0.2.9', proved: true });
    await reaches;
    const device = await found('n1');
    if (!device) throw new Error('there is none');
    return device;
  };

  it('is told to come again at first, and gets it by the same request after a while', async () => {
    const device = await die();
    await expect(provision({ deviceName: 'n1' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    used.clock.advance(30_000);
    const { credentialsId } = await used.core.devices.credentials(used.tenantId, device.id);
    const outcome = await provision({ deviceName: 'n1 ' });
    expect(outcome).toMatchObject({ status: 'SUCCESS', deviceId: device.id, credentials: token(credentialsId) });
    expect(await stateOf(outcome)).toMatchObject([STATE]);
    expect(await provision({ deviceName: 'n1' })).toEqual({ status: 'FAILURE' });
  });

  it.each<[string, Partial<ProvisionRequest>]>([
    ['brings another token', { token: 'T8' }],
    ['brings none', { token: '' }],
    ['says something else', { token: 'T9', gateway: true }],
  ])('is not given to who %s', async (_what, given) => {
    await die({ token: 'T9' });
    used.clock.advance(30_000);
    expect(await provision({ deviceName: 'n1', ...given })).toEqual({ status: 'FAILURE' });
  });

  it('is not given to anybody when it has been used, or its credentials were changed', async () => {
    const { id } = await die();
    used.clock.advance(30_000);
    await used.core.state.attributes.save(id, 'SERVER', [{ key: 'lastActivityTime', value: '1' as never }], 1);
    expect(await provision({ deviceName: 'n1' })).toEqual({ status: 'FAILURE' });
    await used.core.attributes.delete(id, 'SERVER', ['lastActivityTime']);
    await used.core.devices.updateCredentials(used.tenantId, id, {
      credentialsType: 'ACCESS_TOKEN',
      credentialsId: 'T7',
    });
    expect(await provision({ deviceName: 'n1' })).toEqual({ status: 'FAILURE' });
  });

  it('is none that was made on the server side', async () => {
    await used.core.devices.create(used.tenantId, { name: 'n1', deviceProfileId: creating.id });
    used.clock.advance(30_000);
    expect(await provision({ deviceName: 'n1' })).toEqual({ status: 'FAILURE' });
  });
});

describe('A request whose sender has gone', () => {
  it.each<[string, Partial<ProvisionRequest>]>([
    ['makes no device', { deviceName: 'n1' }],
    ['provisions none that is there', pre],
  ])('%s', async (_what, given) => {
    const gone = { ...SOURCE, gone: () => true };
    await expect(provision(given, used.core, gone)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(await provision(given)).toMatchObject({ status: 'SUCCESS' });
    expect(used.gauge('tandem_provisions_total', { outcome: 'abandoned' })).toBe(1);
  });
});

describe('A key', () => {
  it.each<[string, Partial<ProvisionRequest>]>([
    ['that nobody has', { key: 'unknown' }],
    ['in another case', { key: 'KA' }],
    ['that is empty', { key: '' }],
    ['with another secret', { secret: 'wrong' }],
    ['with a secret in another case', { secret: 'SA' }],
    ['with no secret', { secret: '' }],
    ['with another secret, of devices that are there', { ...pre, secret: 'sa' }],
  ])('%s is not found', async (_what, given) => {
    expect(await provision({ deviceName: 'n1', ...given })).toEqual({ status: 'NOT_FOUND' });
    expect(await found('n1')).toBeUndefined();
  });

  it.each(['DISABLED', 'X509_CERTIFICATE_CHAIN'] as const)('of a profile of type %s is not found', async (type) => {
    await profile('kd', 'sd', type);
    expect(await provision({ key: 'kd', secret: 'sd' })).toEqual({ status: 'NOT_FOUND' });
  });

  it('of a profile without a secret is not found, whatever comes with it', async () => {
    await profile('kd', '', 'ALLOW_CREATE_NEW_DEVICES');
    for (const secret of ['', 'null', 'undefined']) {
      expect(await provision({ key: 'kd', secret })).toEqual({ status: 'NOT_FOUND' });
    }
  });
});

describe('Who tries keys', () => {
  const guess = (source = SOURCE, core = used.core) => provision({ key: 'guessed' }, core, source);
  const guesses = async (count: number, source = SOURCE, core = used.core) => {
    for (let n = 0; n < count; n++) await guess(source, core);
  };

  it('is refused after some, at every process, without a look at the key, until time has passed', async () => {
    let looks = 0;
    const there = used.another((state) => ({
      ...state,
      devices: over(state.devices, {
        findProfileByProvisionKey: async (key) => {
          looks++;
          return state.devices.findProfileByProvisionKey(key);
        },
      }),
    }));
    await guesses(2);
    await guess(SOURCE, there);
    expect(looks).toBe(1);
    for (const given of [{ key: 'guessed' }, { deviceName: 'n1' }]) {
      await expect(provision(given, there)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: LOCK });
    }
    expect(looks).toBe(1);
    expect(used.gauge('tandem_provisions_total', { outcome: 'not_found' })).toBe(2);
    used.clock.advance(LOCK);
    expect(await provision({ deviceName: 'n1' }, there)).toMatchObject({ status: 'SUCCESS' });
  });

  it('gets no more tries when they all come at once, by whatever process', async () => {
    const there = used.another();
    const ends = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => guess(SOURCE, n % 2 === 0 ? used.core : there)),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    const forged = { ...SOURCE, proved: false };
    const others = await Promise.allSettled(Array.from({ length: 40 }, () => guess(forged)));
    expect(others.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('has them all again after requests that do not fail, however many come at once', async () => {
    const many = Array.from({ length: 30 }, (_, n) => provision({ deviceName: `many ${n}` }));
    for (const outcome of await Promise.all(many)) expect(outcome.status).toBe('SUCCESS');
    await guesses(3);
    await expect(guess()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: LOCK });
  });

  it('keeps nobody out who comes from elsewhere, or whose requests fail for another reason', async () => {
    await guesses(3);
    const elsewhere = { address: '192.0.2.2', proved: true };
    for (let n = 0; n < 5; n++) {
      expect(await provision({ deviceName: 'pre1' }, used.core, elsewhere)).toEqual({ status: 'FAILURE' });
    }
    expect(await provision({ deviceName: 'n1' }, used.core, elsewhere)).toMatchObject({ status: 'SUCCESS' });
  });

  it('under an address that may be forged keeps nobody out who is there, and leaves nothing in the store', async () => {
    const forged = { ...SOURCE, proved: false };
    await guesses(3, forged);
    await expect(guess(forged)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(await provision({ deviceName: 'n1' })).toMatchObject({ status: 'SUCCESS' });
    expect(await guess(forged, used.another())).toEqual({ status: 'NOT_FOUND' });
  });
});

describe('Provisioning', () => {
  it('says in the log why a device was refused, and nothing secret', async () => {
    await provision({ deviceName: 'pre1', token: 'very-secret', secret: 'sa' });
    await provision({ credentialsType: 'MQTT_BASIC', clientId: 'c', password: 'very-secret' });
    const log = JSON.stringify(used.log);
    expect(log).toContain('Device with such name already exists!');
    expect(log).not.toMatch(/very-secret|"sa"|"ka"/);
  });

  it('says each reason of each profile, and which device it was, in one short line', async () => {
    const name = `pre1\n\u001b[31m\ud800${'x'.repeat(100)}`;
    await provision({ ...pre, deviceName: name });
    await provision({ ...pre, deviceName: '' });
    await provision({ deviceName: 'pre1' });
    await provision({ deviceName: 'pre1', token: 'again' });
    const lines = used.log.filter(({ message }) => message === 'a device was not provisioned');
    expect(lines.map(({ fields }) => [fields.profileId, fields.reason, fields.deviceName])).toEqual([
      [checking.id, 'The profile has no such device', `pre1\ufffd\ufffd[31m\ufffd${'x'.repeat(53)}...`],
      [checking.id, 'The request names no device', undefined],
      [creating.id, 'Device with such name already exists!', 'pre1'],
    ]);
  });
});

describe('A tenant with as many devices as it may have', () => {
  const full = useCore({ TANDEM_TENANT_MAX_DEVICES: '1' });

  it('gets no further one by provisioning', async () => {
    await profileIn(full, 'kf', 'sf', 'ALLOW_CREATE_NEW_DEVICES');
    const ask = (deviceName: string) => provision({ key: 'kf', secret: 'sf', deviceName }, full.core);
    expect(await ask('a')).toMatchObject({ status: 'SUCCESS' });
    expect(await ask('b')).toEqual({ status: 'FAILURE' });
    expect(JSON.stringify(full.log)).toContain('TANDEM_TENANT_MAX_DEVICES');
  });
});

describe('A profile that lets in so many devices within a time', () => {
  const slow = useCore({ TANDEM_PROVISION_RATE: '2:60' });

  it('lets in the next ones later, and counts none that were refused', async () => {
    await profileIn(slow, 'kr', 'sr', 'ALLOW_CREATE_NEW_DEVICES');
    await profileIn(slow, 'ko', 'so', 'ALLOW_CREATE_NEW_DEVICES');
    const ask = (deviceName: string, key = 'kr', secret = 'sr') => provision({ key, secret, deviceName }, slow.core);
    expect(await ask('a')).toMatchObject({ status: 'SUCCESS' });
    for (let n = 0; n < 5; n++) expect(await ask('a')).toMatchObject({ status: 'FAILURE' });
    expect(await ask('b')).toMatchObject({ status: 'SUCCESS' });
    await expect(ask('c')).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      message: 'Too many new devices of this profile! At most 2 in 60 s',
      retryAfter: 30_000,
    });
    expect(await slow.core.devices.find(slow.tenantId, 'c')).toBeUndefined();
    expect(await ask('d', 'ko', 'so')).toMatchObject({ status: 'SUCCESS' });
    slow.clock.advance(30_000);
    expect(await ask('c')).toMatchObject({ status: 'SUCCESS' });
    expect(slow.gauge('tandem_limit_hits_total', { limit: 'TANDEM_PROVISION_RATE' })).toBe(1);
  });
});

describe('Many devices at once', () => {
  const crowded = useCore({ TANDEM_PROVISION_MAX_RUNNING: '2' });

  it('beyond what a process takes are told to come again', async () => {
    const tries = Array.from({ length: 5 }, () => provision({ key: 'x' }, crowded.core));
    const ends = await Promise.allSettled(tries);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(ends.filter((end) => end.status === 'rejected' && end.reason.code === 'TOO_MANY_REQUESTS')).toHaveLength(3);
    expect(await provision({ key: 'x' }, crowded.core)).toEqual({ status: 'NOT_FOUND' });
    expect(crowded.gauge('tandem_limit_hits_total', { limit: 'TANDEM_PROVISION_MAX_RUNNING' })).toBe(3);
    expect(crowded.gauge('tandem_provisions_running')).toBe(0);
  });
});
