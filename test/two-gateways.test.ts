import { WebSocketClient } from '../packages/server-api/src/testing/web-socket-client';
import { startRedisCluster } from '../packages/state-redis/src/testing/redis-cluster';
import { startRedis } from '../packages/state-redis/src/testing/redis-server';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { SplitGateway, soon } from './support/gateways';
import { ServerClient } from './support/server-client';

interface Redis {
  readonly url: string;
  stop(): Promise<void>;
}

const KINDS: readonly (readonly [kind: string, start: () => Promise<Redis>])[] = [
  ['one Redis', () => startRedis({ appendonly: 'everysec' })],
  ['a Redis Cluster', () => startRedisCluster({ masters: 3, replicas: 1, appendonly: 'everysec' })],
];

afterAll(cleanUp);

describe.each(KINDS)('On %s', (_kind, start) => {
  let redis: Redis;
  let gateway: SplitGateway;

  beforeAll(async () => {
    redis = await start();
    gateway = await SplitGateway.start({ REDIS_URL: redis.url });
  });

  afterAll(async () => {
    await gateway.stop();
    await redis.stop();
  });

  describe('three processes with a role each', () => {
    it('an attribute that is written at one reaches a poll and an observation at the others', async () => {
      const { id, http, coap } = await gateway.device();
      await http.takePlace();
      const poll = http.poll('attributes/updates');
      const observation = coap.observe('attributes');
      expect(await observation.next()).toMatchObject({ code: '2.05', text: '{}', observe: true });
      await gateway.http.openPolls(1);
      await gateway.server.share(id, '{"target":21.0,"on":true}');
      expect(await poll).toMatchObject({ status: 200, text: '{"target":21.0,"on":true}' });
      expect(await observation.next()).toMatchObject({
        code: '2.05',
        text: '{"target":21.0,"on":true}',
        observe: true,
      });
      coap.close();
    });

    it('what devices send to one, and what the server writes, reaches a WebSocket at another', async () => {
      const { id, http, coap } = await gateway.device();
      const client = await WebSocketClient.open(
        gateway.api.http,
        `/api/ws/plugins/telemetry?token=${gateway.server.jwt}`,
      );
      client.send({
        tsSubCmds: [{ cmdId: 1, entityType: 'DEVICE', entityId: id, scope: 'LATEST_TELEMETRY' }],
        attrSubCmds: [
          { cmdId: 2, entityType: 'DEVICE', entityId: id, scope: 'CLIENT_SCOPE' },
          { cmdId: 3, entityType: 'DEVICE', entityId: id, scope: 'SHARED_SCOPE' },
        ],
      });
      for (let n = 0; n < 3; n++) expect(await client.next()).toMatchObject({ errorCode: 0, data: {} });
      expect((await http.post('telemetry', '{"temperature":42.0}')).status).toBe(200);
      expect(await client.next()).toMatchObject({
        subscriptionId: 1,
        data: { temperature: [[expect.anything(), '42.0']] },
      });
      expect((await coap.post('telemetry', '{"temperature":43}')).code).toBe('2.01');
      expect(await client.next()).toMatchObject({
        subscriptionId: 1,
        data: { temperature: [[expect.anything(), '43']] },
      });
      expect((await coap.post('attributes', '{"firmware":"1.2"}')).code).toBe('2.01');
      expect(await client.next()).toMatchObject({
        subscriptionId: 2,
        data: { firmware: [[expect.anything(), '1.2']] },
      });
      await gateway.server.share(id, '{"target":21.0}');
      expect(await client.next()).toMatchObject({ subscriptionId: 3, data: { target: [[expect.anything(), '21.0']] } });
      await client.close();
      coap.close();
    });

    it('a two-way command from one is answered by a poll at another', async () => {
      const { id, http } = await gateway.device();
      const poll = http.poll('rpc');
      const answer = gateway.server.command('twoway', id, { method: 'm', params: { n: 1 }, timeout: 20_000 });
      expect(await poll).toMatchObject({ status: 200, text: '{"id":0,"method":"m","params":{"n":1}}' });
      expect((await http.post('rpc/0', '{"done":1.0}')).status).toBe(200);
      expect(await answer).toEqual({ status: 200, text: '{"done":1.0}' });
    });

    it('a two-way command from one is answered by an observer at another', async () => {
      const { id, coap } = await gateway.device();
      const observation = coap.observe('rpc');
      expect((await observation.next()).code).toBe('2.03');
      const answer = gateway.server.command('twoway', id, { method: 'm', params: null, timeout: 20_000 });
      expect((await observation.next()).text).toBe('{"id":0,"method":"m","params":null}');
      expect((await coap.post('rpc/0', '{"led":"off"}')).code).toBe('2.01');
      expect(await answer).toEqual({ status: 200, text: '{"led":"off"}' });
      coap.close();
    });

    it('a command that was taken at one door is answered at the other', async () => {
      const { id, http, coap } = await gateway.device();
      const poll = http.poll('rpc');
      const answer = gateway.server.command('twoway', id, { method: 'm', timeout: 20_000 });
      expect((await poll).text).toContain('"id":0');
      expect((await coap.post('rpc/0', '{"by":"coap"}')).code).toBe('2.01');
      expect((await answer).text).toBe('{"by":"coap"}');
      coap.close();
    });

    it('what devices send at two of them is read at the third', async () => {
      const { id, http, coap } = await gateway.device();
      expect((await http.post('telemetry', '{"a":1.0}')).status).toBe(200);
      expect((await coap.post('telemetry', '{"b":12345678901234567}')).code).toBe('2.01');
      expect((await coap.post('attributes', '{"serial":"x"}')).code).toBe('2.01');
      expect((await http.get('attributes?clientKeys=serial')).text).toBe('{"client":{"serial":"x"}}');
      await soon(async () => {
        const latest = await gateway.server.latest(id);
        return latest.a?.[0]?.value === '1.0' && latest.b?.[0]?.value === '12345678901234567';
      });
    });

    it('schemas of a profile that are changed at one hold at the others, also for an observer that waits', async () => {
      const text = 'optional string method = 1; optional int32 requestId = 2; optional string params';
      const profile = (key: string, params: number) => ({
        ...{ name: 'changing', type: 'DEFAULT', transportType: 'COAP' },
        profileData: {
          transportConfiguration: {
            type: 'COAP',
            coapDeviceTypeConfiguration: {
              transportPayloadTypeConfiguration: {
                transportPayloadType: 'PROTOBUF',
                deviceTelemetryProtoSchema: `syntax = "proto3"; message T { optional int32 ${key} = 1; }`,
                deviceAttributesProtoSchema: 'syntax = "proto3"; message A { }',
                deviceRpcRequestProtoSchema: `syntax = "proto3"; message R { ${text} = ${params}; }`,
              },
            },
          },
        },
      });
      const save = async (body: object) =>
        JSON.parse((await gateway.server.send('POST', '/api/deviceProfile', body)).text) as { id: { id: string } };
      const { id: profileId } = await save(profile('one', 3));
      const { id, token, coap } = await gateway.device();
      const device = { id: { id, entityType: 'DEVICE' }, name: `device of ${token}`, deviceProfileId: profileId };
      expect((await gateway.server.send('POST', '/api/device', device)).status).toBe(200);
      expect((await coap.post('telemetry', '\b\u0001')).code).toBe('2.01');
      const observation = coap.observe('rpc');
      expect((await observation.next()).code).toBe('2.03');
      const command = () => gateway.server.command('oneway', id, { method: 'm', params: 'x', timeout: 20_000 });
      await command();
      expect((await observation.next()).text).toBe('\n\u0001m\u0010\0\u001a\u0001x');
      await save({ ...profile('two', 4), id: profileId });
      expect((await coap.post('telemetry', '\b\u0002')).code).toBe('2.01');
      await soon(async () => (await gateway.server.latest(id)).two?.[0]?.value === '2');
      await command();
      expect((await observation.next()).text).toBe('\n\u0001m\u0010\u0001"\u0001x');
      coap.close();
    });

    it('the next payload after each of many saves at one is read at another as saved, protobuf and JSON', async () => {
      const schema = (n: number) => ({
        transportPayloadType: 'PROTOBUF',
        deviceTelemetryProtoSchema: 'syntax = "proto3"; message T { optional int32 t = 1; }',
        deviceAttributesProtoSchema: `syntax = "proto3"; message A { optional int32 k${n} = 1; }`,
      });
      const save = async (n: number, id?: { id: string }) => {
        const transportPayloadTypeConfiguration = n % 3 === 2 ? { transportPayloadType: 'JSON' } : schema(n);
        const answer = await gateway.server.send('POST', '/api/deviceProfile', {
          ...{ id, name: 'often changed', type: 'DEFAULT', transportType: 'COAP' },
          profileData: {
            transportConfiguration: {
              type: 'COAP',
              coapDeviceTypeConfiguration: { transportPayloadTypeConfiguration },
            },
          },
        });
        if (answer.status !== 200) throw new Error(answer.text);
        return (JSON.parse(answer.text) as { id: { id: string } }).id;
      };
      const { id, token, coap } = await gateway.device();
      expect((await coap.post('attributes', '{"k":1}')).code).toBe('2.01');
      const profileId = await save(0);
      const device = { id: { id, entityType: 'DEVICE' }, name: `device of ${token}`, deviceProfileId: profileId };
      expect((await gateway.server.send('POST', '/api/device', device)).status).toBe(200);
      const expected: Record<string, number> = { k: 1 };
      for (let n = 0; n < 30; n++) {
        await save(n, profileId);
        const payload = n % 3 === 2 ? `{"k${n}":${n}}` : `\b${String.fromCharCode(n)}`;
        expect(await coap.post('attributes', payload)).toMatchObject({ code: '2.01', text: '' });
        expected[`k${n}`] = n;
      }
      expect(await gateway.server.attributes(id, 'CLIENT_SCOPE')).toEqual(expected);
      coap.close();
    });

    it('a process that stands still holds up one save for a moment, and no more', async () => {
      const { id, token, coap } = await gateway.device();
      coap.close();
      const rename = (label: string) =>
        gateway.server.send('POST', '/api/device', {
          id: { id, entityType: 'DEVICE' },
          name: `device of ${token}`,
          label,
        });
      const before = await gateway.api.metric('tandem_session_changes_unheard_total');
      gateway.coap.kill('SIGSTOP');
      try {
        for (let n = 0; n < 5; n++) expect((await rename(`label ${n}`)).status).toBe(200);
      } finally {
        gateway.coap.kill('SIGCONT');
      }
      expect((await gateway.api.metric('tandem_session_changes_unheard_total')) - before).toBe(1);
    });

    it('new credentials end the sessions of the old ones at the others', async () => {
      const { id, http, coap } = await gateway.device();
      // Both processes know the device by now.
      expect((await http.get('attributes')).status).toBe(200);
      const attributes = coap.observe('attributes');
      expect((await attributes.next()).code).toBe('2.05');
      const commands = coap.observe('rpc');
      expect((await commands.next()).code).toBe('2.03');
      const poll = http.poll('attributes/updates');
      await gateway.http.openPolls(1);
      await gateway.changeToken(id, `changed-${id}`);
      expect((await poll).status).toBe(408);
      expect(await attributes.next()).toMatchObject({ code: '2.02', observe: false });
      expect(await commands.next()).toMatchObject({ code: '2.02', observe: false });
      expect((await http.post('telemetry', '{"a":1}')).status).toBe(401);
      expect((await coap.post('telemetry', '{"a":1}')).code).toBe('4.01');
      const changed = await gateway.at(`changed-${id}`);
      expect((await changed.http.post('telemetry', '{"a":1}')).status).toBe(200);
      expect((await changed.coap.post('telemetry', '{"a":1}')).code).toBe('2.01');
      coap.close();
      changed.coap.close();
    });

    it('a device that is deleted is gone from all of them', async () => {
      const { id, http, coap } = await gateway.device();
      expect((await http.post('telemetry', '{"a":1}')).status).toBe(200);
      const observation = coap.observe('attributes');
      expect((await observation.next()).code).toBe('2.05');
      const poll = http.poll('attributes/updates');
      await gateway.http.openPolls(1);
      expect((await gateway.server.send('DELETE', `/api/device/${id}`)).status).toBe(200);
      expect(await poll).toMatchObject({ status: 403, text: 'Device was deleted!' });
      expect(await observation.next()).toMatchObject({ code: '2.02', observe: false });
      expect((await http.post('telemetry', '{"a":1}')).status).toBe(401);
      expect((await coap.post('telemetry', '{"a":1}')).code).toBe('4.01');
      expect((await gateway.server.send('GET', `/api/device/${id}`)).status).toBe(404);
      coap.close();
    });

    it('any of them is ready, and serves its own role only', async () => {
      for (const process of gateway.processes) {
        expect((await fetch(`http://127.0.0.1:${process.metrics}/readyz`)).status).toBe(200);
      }
      const { token, http, coap } = await gateway.device();
      expect((await fetch(`http://127.0.0.1:${gateway.api.http}/api/v1/${token}/attributes`)).status).toBe(404);
      await expect(ServerClient.login(gateway.http.http)).rejects.toThrow('404');
      expect(gateway.coap.http).toBe(0);
      const live = `/api/ws/plugins/telemetry?token=${gateway.server.jwt}`;
      await expect(WebSocketClient.open(gateway.http.http, live)).rejects.toThrow('404');
      expect(http.port).not.toBe(gateway.api.http);
      coap.close();
    });
  });

  describe('gateways of different prefixes', () => {
    it('know nothing of each other', async () => {
      const { id, token, coap } = await gateway.device();
      coap.close();
      const other = await GatewayProcess.start({
        REDIS_URL: redis.url,
        TANDEM_REDIS_PREFIX: 'other',
        TANDEM_ADMIN_PASSWORD: 'Another-Horse-7',
      });
      await expect(ServerClient.login(other.http)).rejects.toThrow('401');
      const server = await ServerClient.login(other.http, undefined, 'Another-Horse-7');
      expect((await gateway.server.at(other.http).send('GET', '/api/auth/user')).status).toBe(401);
      expect((await server.send('GET', `/api/device/${id}`)).status).toBe(404);
      expect((await fetch(`http://127.0.0.1:${other.http}/api/v1/${token}/attributes`)).status).toBe(401);
      const same = await server.createDevice(token);
      await server.share(same, { whose: 'theirs' });
      expect(await gateway.server.attributes(id, 'SHARED_SCOPE')).toEqual({});
      expect((await server.send('DELETE', `/api/device/${same}`)).status).toBe(200);
      expect((await gateway.server.send('GET', `/api/device/${id}`)).status).toBe(200);
      expect(await other.stop()).toEqual({ code: 0, signal: null });
    });
  });

  describe('when they are told to stop', () => {
    it('each ends in good order', async () => {
      expect(new Set((await gateway.stop()).map(({ code }) => code))).toEqual(new Set([0]));
      for (const process of gateway.processes) {
        expect(process.stderr).toBe('');
        expect(process.log.filter(({ level }) => level === 'error')).toEqual([]);
      }
    });
  });
});
