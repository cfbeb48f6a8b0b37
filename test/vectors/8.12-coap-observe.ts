import type { Vector } from './framework/vector';

/** Contract 8.12. */
export const COAP_OBSERVE: readonly Vector[] = [
  {
    no: '287',
    says: 'CON GET /api/v1/tokA/attributes Observe 0',
    async run(scene) {
      const answer = await scene.ask('GET /api/v1/tokA/attributes', '', { observe: 0 });
      expect(answer).toMatchObject({ kind: 'ACK 2.05', observe: 0 });
      expect(JSON.parse(answer.text)).toEqual({ shared1: 'v', shared2: 7 });
    },
  },
  {
    no: '289',
    says: 'then SHARED x=1 saved',
    async run(scene) {
      const client = await scene.coap();
      const token = client.newToken();
      await scene.ask('GET /api/v1/tok1/attributes', '', { observe: 0, token });
      await scene.share('tok1', { x: 1 });
      expect(await client.notification(token)).toMatchObject({ kind: 'CON 2.05', observe: 1, text: '{"x":1}' });
    },
  },
];
