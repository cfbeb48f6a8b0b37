import { setTimeout as delay } from 'node:timers/promises';
import { bare, coap } from './framework/coap-vector';
import { claimedBy } from './framework/customer-user';
import { EMPTY, expectAnswer, http } from './framework/http-vector';
import type { Scene } from './framework/scene';
import { STRICT } from './framework/settings';
import type { Vector } from './framework/vector';

const LINE = 'POST /tok1/claim';
const COAP_LINE = 'POST /api/v1/tok1/claim';
const OK = { status: 200, ...EMPTY } as const;
const A_MINUTE = '{"secretKey":"value","durationMs":60000}';

const deviceClaims = async (scene: Scene, body?: string): Promise<void> =>
  expectAnswer(await scene.http(LINE, body), OK);

/** The device claims, which the wire takes in any case; then a user does, each with what the user is told. */
const claims = (
  no: string,
  says: string,
  body: string | undefined,
  users: readonly (readonly [secretKey: string, told: string])[],
  more: Partial<Vector> = {},
): Vector => ({
  no,
  says,
  ...more,
  async run(scene) {
    await deviceClaims(scene, body);
    for (const [secretKey, told] of users) expect(await claimedBy(scene, 'tok1', secretKey)).toBe(told);
  },
});

/** Contract 8.9. */
export const CLAIMING: readonly Vector[] = [
  claims('231', `HTTP ${LINE} ${A_MINUTE}; user claims with value within 60 s`, A_MINUTE, [['value', 'SUCCESS']]),
  claims('232', `HTTP ${LINE}, no body; user claims with empty secret`, undefined, [['', 'SUCCESS']]),
  claims('233', `HTTP ${LINE} {}`, '{}', [['', 'SUCCESS']]),
  claims(
    '234',
    `HTTP ${LINE} {"secretKey":123,"durationMs":"5000"}; user claims with 123`,
    '{"secretKey":123,"durationMs":"5000"}',
    [['123', 'SUCCESS']],
  ),
  http('235', LINE, { says: `HTTP ${LINE} [1]`, body: '[1]' }, { status: 400 }),
  http('236', 'POST /nope/claim', { says: 'HTTP POST /nope/claim' }, { status: 401, ...EMPTY }),
  {
    no: '237',
    says: 'claim with durationMs 1; user claims 1 s later',
    sideBySide: true,
    async run(scene) {
      await deviceClaims(scene, '{"secretKey":"value","durationMs":1}');
      await delay(1_000);
      expect(await claimedBy(scene, 'tok1', 'value')).toBe('FAILURE');
    },
  },
  claims('238', 'user claims with other secret, then with the right one', A_MINUTE, [
    ['other', 'FAILURE'],
    ['value', 'FAILURE'],
  ]),
  {
    no: '239',
    says: 'claim secret A, then at once claim secret B; user claims B',
    async run(scene) {
      await deviceClaims(scene, '{"secretKey":"A"}');
      await deviceClaims(scene, '{"secretKey":"B"}');
      expect(await claimedBy(scene, 'tok1', 'B')).toBe('FAILURE');
    },
  },
  {
    no: '240',
    says: 'device already owned by a customer, device claims',
    async run(scene) {
      const { id } = await scene.device('tok1');
      const customer = await scene.call<{ id: { id: string } }>('POST', '/api/customer', {
        title: scene.local('owner'),
      });
      await scene.call('POST', `/api/customer/${customer.id.id}/device/${id}`);
      await deviceClaims(scene, A_MINUTE);
      expect(await claimedBy(scene, 'tok1', 'value')).toBe('CLAIMED');
      // Nor was it kept for the time when the device is free again.
      await scene.call('DELETE', `/api/customer/device/${id}`);
      expect(await claimedBy(scene, 'tok1', 'value')).toBe('FAILURE');
    },
  },
  claims('241', 'default claiming off and no claimingAllowed; device claims', A_MINUTE, [['value', 'FAILURE']], {
    settings: STRICT,
  }),
  {
    no: '242',
    says: 'durationMs 0 or -5',
    async run(scene) {
      for (const duration of [0, -5]) {
        const each = scene.fresh(`d${duration}`);
        await deviceClaims(each, `{"secretKey":"value","durationMs":${duration}}`);
        expect(await claimedBy(each, 'tok1', 'value')).toBe('SUCCESS');
      }
    },
  },
  coap('243', COAP_LINE, { says: `CoAP ${COAP_LINE}, empty payload` }, bare('ACK 2.01')),
  coap('244', COAP_LINE, { says: `CoAP ${COAP_LINE} ${A_MINUTE}`, payload: A_MINUTE }, bare('ACK 2.01')),
  coap('245', COAP_LINE, { says: `CoAP ${COAP_LINE} 5`, payload: '5' }, bare('ACK 4.00')),
];
