import { certificateId } from '@tandem/core';
import type { Identity } from '../security/pki';
import type { DtlsDevice } from '../support/dtls-device';
import type { Scene } from './framework/scene';
import { SECURE, SECURE_AT_ANY_TIME } from './framework/settings';
import type { Vector } from './framework/vector';

const A1 = '{"a":1}';

/** C1, which DX has; and DX. */
async function certified(scene: Scene): Promise<{ readonly client: DtlsDevice; readonly id: string }> {
  const certificate = scene.world.pki.selfSigned(scene.local('C1'));
  return { id: await scene.deviceWith(certificate), client: scene.dtls({ certificate }) };
}

/** C2, which is valid and nobody's. */
const unknown = (scene: Scene) => scene.dtls({ certificate: scene.world.pki.selfSigned(scene.local('C2')) });

/** C3, which DX has, and which has expired. */
async function expired(scene: Scene): Promise<{ readonly certificate: Identity; readonly id: string }> {
  const certificate = scene.world.pki.expired(scene.local('C3'));
  return { certificate, id: await scene.deviceWith(certificate) };
}

async function expectAtToken(scene: Scene, client: DtlsDevice): Promise<void> {
  const path = await scene.path('api/v1/tok1/telemetry');
  expect(await client.ask('POST', path, A1)).toEqual({ kind: 'ACK 2.01', text: '' });
  expect(await scene.stored('tok1')).toEqual(['a LONG 1']);
}

/** Contract 8.13. */
export const DTLS: readonly Vector[] = [
  {
    no: '307',
    says: `certificate C1, POST /api/v1/telemetry ${A1}`,
    settings: SECURE,
    async run(scene) {
      const { client, id } = await certified(scene);
      expect(await client.ask('POST', 'api/v1/telemetry', A1)).toEqual({ kind: 'ACK 2.01', text: '' });
      await scene.storedAt(id, 'a', '1');
    },
  },
  {
    no: '308',
    says: 'certificate C1, GET /api/v1/rpc Observe 0',
    settings: SECURE,
    async run(scene) {
      const { client } = await certified(scene);
      expect(await client.ask('GET', 'api/v1/rpc', '', true)).toEqual({ kind: 'ACK 2.03', text: '' });
    },
  },
  {
    no: '309',
    says: 'certificate C1, POST /api/v1/rpc/5 {}',
    settings: SECURE,
    async run(scene) {
      const { client } = await certified(scene);
      expect(await client.ask('POST', 'api/v1/rpc/5', '{}')).toEqual({ kind: 'ACK 2.01', text: '' });
    },
  },
  {
    no: '310',
    says: `certificate C1, POST /api/v1/tok1/telemetry ${A1}`,
    settings: SECURE,
    async run(scene) {
      const { client, id } = await certified(scene);
      const path = await scene.path('api/v1/tok1/telemetry');
      expect(await client.ask('POST', path, A1)).toEqual({ kind: 'ACK 2.01', text: '' });
      await scene.storedAt(id, 'a', '1');
      expect(await scene.stored('tok1')).toEqual([]);
    },
  },
  {
    no: '311',
    says: 'certificate C2, POST /api/v1/telemetry',
    settings: SECURE,
    async run(scene) {
      const answer = await unknown(scene).ask('POST', 'api/v1/telemetry', A1);
      expect(answer).toEqual({ kind: 'ACK 4.01', text: '' });
    },
  },
  {
    no: '312',
    says: 'certificate C2, POST /api/v1/tok1/telemetry',
    settings: SECURE,
    run: (scene) => expectAtToken(scene, unknown(scene)),
  },
  {
    no: '313',
    says: 'certificate C3',
    settings: SECURE,
    async run(scene) {
      const { certificate } = await expired(scene);
      // bad_certificate
      expect(await scene.dtls({ certificate }).ended).toContain('alert 42');
    },
  },
  {
    no: '314',
    says: 'C3 with skip setting on, POST /api/v1/telemetry',
    settings: SECURE_AT_ANY_TIME,
    async run(scene) {
      const { certificate, id } = await expired(scene);
      const answer = await scene.dtls({ certificate }).ask('POST', 'api/v1/telemetry', A1);
      expect(answer).toEqual({ kind: 'ACK 2.01', text: '' });
      await scene.storedAt(id, 'a', '1');
    },
  },
  {
    no: '315',
    says: 'DTLS without client certificate, POST /api/v1/tok1/telemetry',
    settings: SECURE,
    run: (scene) => expectAtToken(scene, scene.dtls()),
  },
  {
    no: '316',
    says: 'chain [leaf unknown, intermediate C1]',
    settings: SECURE,
    async run(scene) {
      const intermediate = scene.world.pki.root.authority(scene.local('C1'));
      const id = await scene.deviceWith(intermediate);
      const certificate = intermediate.issue(scene.local('leaf'));
      const client = scene.dtls({ certificate, chainFile: intermediate.certificateFile });
      expect(await client.ask('POST', 'api/v1/telemetry', A1)).toEqual({ kind: 'ACK 2.01', text: '' });
      await scene.storedAt(id, 'a', '1');
    },
  },
  {
    no: '317',
    says: 'credentials id of base64 text MIIB',
    settings: SECURE,
    async run() {
      expect(certificateId('MIIB')).toBe('4d696d7df7c7d7cb0f98cb7b82f04271a87e3b1f931c085357fbfb84a54bb474');
    },
  },
];
