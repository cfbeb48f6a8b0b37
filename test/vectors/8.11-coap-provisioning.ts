import type { Received } from '../../packages/coap-transport/src/testing/raw-client';
import { bare, coap, expectResponse } from './framework/coap-vector';
import { decodeMessage, encodeMessage, hex } from './framework/proto-messages';
import type { Scene } from './framework/scene';
import type { Vector } from './framework/vector';

const LINE = 'POST /api/v1/provision';
/** Content-Format text/plain, which is what the original writes of JSON here (contract 2.7). */
const TEXT_FORMAT = 0;
const GENERATED = /^[A-Za-z0-9]{20}$/;

const SUCCESS = {
  status: 'SUCCESS',
  credentialsType: 'ACCESS_TOKEN',
  credentialsValue: expect.stringMatching(GENERATED),
};
const FAILURE = { errorMsg: 'Failed to provision device!', status: 'FAILURE' };
const NOT_FOUND = { errorMsg: 'Provision data was not found!', status: 'NOT_FOUND' };

/** The profile PA and a device's request for it. */
async function request(scene: Scene, name: string, secret = 'sa'): Promise<string> {
  await scene.profile('PA');
  return JSON.stringify({
    deviceName: scene.local(name),
    provisionDeviceKey: scene.local('ka'),
    provisionDeviceSecret: scene.local(secret),
  });
}

/** The device that was made has the credentials it was told. */
async function expectToWork(scene: Scene, token: unknown): Promise<void> {
  const answer = await scene.ask(`POST /api/v1/${token}/telemetry`, '{"a":1}');
  expectResponse(answer, bare('ACK 2.01'));
}

async function expectSuccess(scene: Scene, answer: Received): Promise<void> {
  expectResponse(answer, { kind: 'ACK 2.01', format: TEXT_FORMAT, json: SUCCESS });
  await expectToWork(scene, JSON.parse(answer.text).credentialsValue);
}

const BAD = bare('ACK 4.00');
const WITHOUT_KEY = '{"deviceName":"n1","provisionDeviceSecret":"sa"}';

/** Contract 8.11. */
export const COAP_PROVISIONING: readonly Vector[] = [
  {
    no: '278',
    says: `${LINE} n1, ka/sa (JSON)`,
    sideBySide: true,
    async run(scene) {
      await expectSuccess(scene, await scene.ask(LINE, await request(scene, 'n1')));
    },
  },
  {
    no: '279',
    says: `${LINE} n1 again`,
    sideBySide: true,
    async run(scene) {
      const body = await request(scene, 'n1');
      await scene.ask(LINE, body);
      expectResponse(await scene.ask(LINE, body), { kind: 'ACK 4.00', format: TEXT_FORMAT, json: FAILURE });
    },
  },
  {
    no: '280',
    says: `${LINE} ka / wrong secret`,
    sideBySide: true,
    async run(scene) {
      const answer = await scene.ask(LINE, await request(scene, 'n1', 'wrong'));
      expectResponse(answer, { kind: 'ACK 4.00', format: TEXT_FORMAT, json: NOT_FOUND });
    },
  },
  coap('281', LINE, { says: `${LINE} JSON without provisionDeviceKey`, payload: WITHOUT_KEY }, BAD),
  coap('282', LINE, { says: `${LINE} payload garbage that is also no protobuf`, payload: 'garbage' }, BAD),
  coap('283', LINE, { says: `${LINE} empty payload` }, BAD),
  coap(
    '284',
    LINE,
    {
      says: `${LINE} protobuf deviceName d, key k, secret s, k unknown`,
      payload: hex('0a0164 1a06 0a016b 120173'),
    },
    { kind: 'ACK 4.00', payload: hex('0802'), format: undefined },
  ),
  {
    no: '285',
    says: `${LINE} protobuf with ka/sa valid`,
    sideBySide: true,
    async run(scene) {
      const body = JSON.parse(await request(scene, 'n1'));
      const { deviceName, provisionDeviceKey, provisionDeviceSecret } = body;
      const provisionDeviceCredentialsMsg = { provisionDeviceKey, provisionDeviceSecret };
      const payload = encodeMessage('transport.ProvisionDeviceRequestMsg', {
        deviceName,
        provisionDeviceCredentialsMsg,
      });
      const answer = await scene.ask(LINE, payload);
      expectResponse(answer, { kind: 'ACK 2.01', format: undefined });
      expect(answer.payload.subarray(0, 2).toString('hex')).toBe('0801');
      const { credentialsValue } = decodeMessage('transport.ProvisionDeviceResponseMsg', answer.payload);
      expect(credentialsValue).toMatch(GENERATED);
      await expectToWork(scene, credentialsValue);
    },
  },
  {
    no: '286',
    says: 'POST /api/v1/anything/provision, n2, ka/sa',
    sideBySide: true,
    async run(scene) {
      await expectSuccess(scene, await scene.ask('POST /api/v1/anything/provision', await request(scene, 'n2')));
    },
  },
];
