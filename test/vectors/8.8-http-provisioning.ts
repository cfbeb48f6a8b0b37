import { CERTIFICATE, trimmed } from '../../packages/core/src/testing/certificates';
import type { ProfileFixture } from './framework/fixtures';
import { EMPTY, expectAnswer, type HttpExpectation, http } from './framework/http-vector';
import type { Scene } from './framework/scene';
import type { Vector } from './framework/vector';

const LINE = 'POST /provision';
const GENERATED = /^[A-Za-z0-9]{20}$/;

const success = (credentialsValue: unknown, credentialsType = 'ACCESS_TOKEN'): HttpExpectation => ({
  status: 200,
  // Exactly these members, and none of the early format (contract 5.4).
  json: { status: 'SUCCESS', credentialsType, credentialsValue },
});
const GENERATED_TOKEN = success(expect.stringMatching(GENERATED));
const FAILURE = { status: 200, json: { errorMsg: 'Failed to provision device!', status: 'FAILURE' } } as const;
const NOT_FOUND = { status: 200, json: { errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' } } as const;
const MALFORMED = { status: 400, errorJson: true } as const;

/** The members of a request; undefined leaves one out. */
interface Request {
  readonly deviceName?: string | undefined;
  readonly provisionDeviceKey?: string | undefined;
  readonly provisionDeviceSecret?: string | undefined;
  readonly [member: string]: unknown;
}

/** A request to PA, which lets devices be made, of the device `name` unless told otherwise. */
const toCreate = (scene: Scene, name: string, more: Request = {}): Request => ({
  deviceName: scene.local(name),
  provisionDeviceKey: scene.local('ka'),
  provisionDeviceSecret: scene.local('sa'),
  ...more,
});

/** A request to PC, which knows its devices beforehand. */
const toFind = (scene: Scene, name: string, more: Request = {}): Request => ({
  deviceName: scene.local(name),
  provisionDeviceKey: scene.local('kc'),
  provisionDeviceSecret: scene.local('sc'),
  ...more,
});

const post = (scene: Scene, request: Request) => scene.http(LINE, JSON.stringify(request));

interface Told {
  readonly answer: { readonly credentialsValue: string };
  /** Of the profile. */
  readonly devices: readonly Device[];
}

interface Device {
  readonly id: { readonly id: string };
  readonly name: string;
  readonly additionalInfo: unknown;
}

async function devicesOf(scene: Scene, profile: ProfileFixture): Promise<Device[]> {
  const type = encodeURIComponent(scene.local(profile));
  return (await scene.call<{ data: Device[] }>('GET', `/api/tenant/devices?pageSize=10&page=0&type=${type}`)).data;
}

/** A request to PA and its answer; a failure leaves no device behind (contract 5.3). */
function creates(
  no: string,
  says: string,
  request: (scene: Scene) => Request,
  expected: HttpExpectation,
  more?: (scene: Scene, told: Told) => Promise<unknown>,
): Vector {
  return {
    no,
    says: `${LINE} ${says}`,
    sideBySide: true,
    async run(scene) {
      await scene.profile('PA');
      const answer = await post(scene, request(scene));
      expectAnswer(answer, expected);
      const devices = await devicesOf(scene, 'PA');
      expect(devices).toHaveLength(answer.text.includes('"SUCCESS"') ? 1 : 0);
      await more?.(scene, { answer: JSON.parse(answer.text) as Told['answer'], devices });
    },
  };
}

/** A request to PC, whose device is `pre1`, and its answer. */
function finds(
  no: string,
  says: string,
  request: (scene: Scene) => Request,
  expected: (scene: Scene) => HttpExpectation,
): Vector {
  return {
    no,
    says: `${LINE} ${says}`,
    sideBySide: true,
    async run(scene) {
      await scene.device('pretok');
      const wanted = expected(scene);
      expectAnswer(await post(scene, request(scene)), wanted);
      expect(await devicesOf(scene, 'PC')).toHaveLength(1);
      const state = (await scene.attributes('pretok', 'SERVER_SCOPE')).filter((line) =>
        line.startsWith('provisionState'),
      );
      const isSuccess = JSON.stringify(wanted.json).includes('"SUCCESS"');
      expect(state).toEqual(isSuccess ? ['provisionState STRING "provisioned"'] : []);
    },
  };
}

const works = async (scene: Scene, { answer }: Told): Promise<void> =>
  expectAnswer(await scene.http(`POST /${answer.credentialsValue}/telemetry`, '{"a":1}'), { status: 200, ...EMPTY });

async function provisionState(scene: Scene, { devices: [device] }: Told): Promise<unknown> {
  const path = `/api/plugins/telemetry/DEVICE/${device?.id.id}/values/attributes/SERVER_SCOPE?keys=provisionState`;
  const [found] = await scene.call<Array<{ value: unknown }>>('GET', path);
  return found?.value;
}

/** Contract 8.8. */
export const HTTP_PROVISIONING: readonly Vector[] = [
  creates(
    '200',
    'n1, ka/sa',
    (scene) => toCreate(scene, 'n1'),
    GENERATED_TOKEN,
    async (scene, told) => {
      expect(told.devices[0]?.name).toBe(scene.local('n1'));
      expect(await provisionState(scene, told)).toBe('provisioned');
      await works(scene, told);
    },
  ),
  creates(
    '201',
    'same body again',
    (scene) => toCreate(scene, 'n1'),
    GENERATED_TOKEN,
    async (scene, told) => {
      expectAnswer(await post(scene, toCreate(scene, 'n1')), FAILURE);
      expect(await devicesOf(scene, 'PA')).toHaveLength(1);
      await works(scene, told);
    },
  ),
  creates(
    '202',
    'same body, secret wrong',
    (scene) => toCreate(scene, 'n1', { provisionDeviceSecret: 'wrong' }),
    NOT_FOUND,
  ),
  creates('203', 'key unknown', (scene) => toCreate(scene, 'n1', { provisionDeviceKey: 'unknown' }), NOT_FOUND),
  {
    no: '204',
    says: `${LINE} key kd (PD)`,
    sideBySide: true,
    async run(scene) {
      await scene.profile('PD');
      const [key, secret] = [scene.local('kd'), scene.local('sd')];
      const request = toCreate(scene, 'n1', { provisionDeviceKey: key, provisionDeviceSecret: secret });
      expectAnswer(await post(scene, request), NOT_FOUND);
      expect(await devicesOf(scene, 'PD')).toEqual([]);
    },
  },
  creates('205', 'key ""', (scene) => toCreate(scene, 'n1', { provisionDeviceKey: '' }), NOT_FOUND),
  creates(
    '206',
    'deviceName absent, ka/sa',
    (scene) => toCreate(scene, '', { deviceName: undefined }),
    GENERATED_TOKEN,
    async (_scene, { devices }) => expect(devices[0]?.name).toMatch(GENERATED),
  ),
  creates('207', 'deviceName "   ", ka/sa', (scene) => toCreate(scene, '', { deviceName: '   ' }), FAILURE),
  creates(
    '208',
    'deviceName " n2 ", ka/sa',
    (scene) => toCreate(scene, '', { deviceName: ` ${scene.local('n2')} ` }),
    GENERATED_TOKEN,
    async (scene, { devices }) => expect(devices[0]?.name).toBe(scene.local('n2')),
  ),
  creates(
    '209',
    'n3, ka/sa, credentialsType ACCESS_TOKEN, token T9',
    (scene) => toCreate(scene, 'n3', { credentialsType: 'ACCESS_TOKEN', token: scene.local('T9') }),
    success(expect.stringMatching(/^T9-/)),
    works,
  ),
  {
    no: '210',
    says: `${LINE} n4, credentialsType ACCESS_TOKEN, token tok1 (in use)`,
    sideBySide: true,
    async run(scene) {
      await scene.profile('PA');
      const { token } = await scene.device('tok1');
      expectAnswer(await post(scene, toCreate(scene, 'n4', { credentialsType: 'ACCESS_TOKEN', token })), FAILURE);
      expect(await devicesOf(scene, 'PA')).toEqual([]);
      const { status } = await scene.server.send('GET', `/api/tenant/devices?deviceName=${scene.local('n4')}`);
      expect(status).toBe(404);
    },
  },
  creates(
    '211',
    'n5, token T10, no credentialsType',
    (scene) => toCreate(scene, 'n5', { token: scene.local('T10') }),
    success(expect.stringMatching(/^T10-/)),
    works,
  ),
  creates(
    '212',
    'n6, MQTT_BASIC, clientId c, username u, password p',
    (scene) =>
      toCreate(scene, 'n6', {
        credentialsType: 'MQTT_BASIC',
        clientId: scene.local('c'),
        username: scene.local('u'),
        password: 'p',
      }),
    success(
      { clientId: expect.stringMatching(/^c-/), userName: expect.stringMatching(/^u-/), password: 'p' },
      'MQTT_BASIC',
    ),
  ),
  creates(
    '213',
    'n7, MQTT_BASIC, password p only',
    (scene) => toCreate(scene, 'n7', { credentialsType: 'MQTT_BASIC', password: 'p' }),
    FAILURE,
  ),
  creates(
    '214',
    'n8, MQTT_BASIC, nothing else',
    (scene) => toCreate(scene, 'n8', { credentialsType: 'MQTT_BASIC' }),
    GENERATED_TOKEN,
    works,
  ),
  creates(
    '215',
    'n9, X509_CERTIFICATE, hash = PEM of C2 with header and line breaks',
    (scene) => toCreate(scene, 'n9', { credentialsType: 'X509_CERTIFICATE', hash: CERTIFICATE }),
    success(trimmed(CERTIFICATE), 'X509_CERTIFICATE'),
  ),
  creates(
    '216',
    'n10, X509_CERTIFICATE, no hash',
    (scene) => toCreate(scene, 'n10', { credentialsType: 'X509_CERTIFICATE' }),
    GENERATED_TOKEN,
    works,
  ),
  creates('217', 'n11, credentialsType FOO', (scene) => toCreate(scene, 'n11', { credentialsType: 'FOO' }), MALFORMED),
  creates(
    '218',
    '{"deviceName":"n12","provisionDeviceSecret":"sa"}',
    (scene) => toCreate(scene, 'n12', { provisionDeviceKey: undefined }),
    MALFORMED,
  ),
  creates(
    '219',
    '{"deviceName":"n12","provisionDeviceKey":"ka"}',
    (scene) => toCreate(scene, 'n12', { provisionDeviceSecret: undefined }),
    MALFORMED,
  ),
  {
    no: '220',
    says: `${LINE} [] or 5 or {bad`,
    async run(scene) {
      for (const body of ['[]', '5', '{bad']) expectAnswer(await scene.http(LINE, body), MALFORMED);
    },
  },
  creates(
    '221',
    'n13, ka/sa, "gateway":true',
    (scene) => toCreate(scene, 'n13', { gateway: true }),
    GENERATED_TOKEN,
    async (_scene, { devices }) => expect(devices[0]?.additionalInfo).toMatchObject({ gateway: true }),
  ),
  http('222', LINE, { says: `${LINE} no body` }, { status: 400 }),
  finds(
    '223',
    'pre1, kc/sc',
    (scene) => toFind(scene, 'pre1'),
    (scene) => success(scene.local('pretok')),
  ),
  {
    no: '224',
    says: `${LINE} pre1, kc/sc, second time`,
    sideBySide: true,
    async run(scene) {
      await scene.device('pretok');
      expectAnswer(await post(scene, toFind(scene, 'pre1')), success(scene.local('pretok')));
      expectAnswer(await post(scene, toFind(scene, 'pre1')), FAILURE);
    },
  },
  finds(
    '225',
    'pre1, kc/sc, credentialsType ACCESS_TOKEN, token mine',
    (scene) => toFind(scene, 'pre1', { credentialsType: 'ACCESS_TOKEN', token: 'mine' }),
    (scene) => success(scene.local('pretok')),
  ),
  finds(
    '226',
    'device absent from list: other, kc/sc',
    (scene) => toFind(scene, 'other'),
    () => FAILURE,
  ),
  finds(
    '227',
    'deviceName absent, kc/sc',
    (scene) => toFind(scene, '', { deviceName: undefined }),
    () => FAILURE,
  ),
  finds(
    '228',
    'pre1, kc / secret wrong',
    (scene) => toFind(scene, 'pre1', { provisionDeviceSecret: 'wrong' }),
    () => NOT_FOUND,
  ),
  creates(
    '229',
    'response of any SUCCESS',
    (scene) => toCreate(scene, 'n14'),
    GENERATED_TOKEN,
    async (_scene, told) => {
      for (const old of ['provisionDeviceStatus', 'accessToken', 'deviceId'])
        expect(told.answer).not.toHaveProperty(old);
    },
  ),
  http('230', 'GET /provision', {}, { status: 405 }),
];
