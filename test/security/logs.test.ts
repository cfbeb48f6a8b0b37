import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoapDevice } from '../support/coap-device';
import { ADMIN_EMAIL, cleanUp, GatewayProcess } from '../support/gateway-process';
import { HttpDevice } from '../support/http-device';
import { ServerClient } from '../support/server-client';
import { useSecret } from '../support/used-secrets';

afterAll(cleanUp);

describe('At the most talkative log level, after good and bad requests over both protocols', () => {
  const secrets = new Map<string, string>();
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await GatewayProcess.start({
      TANDEM_LOG_LEVEL: 'debug',
      TANDEM_ADMIN_PASSWORD: '',
      TANDEM_EVENT_LOG_MAX: '1',
      // Nobody listens there; the credentials are a secret like any other.
      TANDEM_RPC_WEBHOOK_URL: 'http://hook-user:hook-secret-93@127.0.0.1:9/',
    });
    secrets.set('webhook password', 'hook-secret-93');
    const password = readFileSync(join(gateway.folder, 'initial-admin-password'), 'utf8').trimEnd();
    secrets.set('generated password', password);
    const server = await ServerClient.login(gateway.http, ADMIN_EMAIL, password);
    secrets.set('JWT', server.jwt).set('refresh token', server.refreshToken);
    await useEverything(server);
    for (const secret of secrets.values()) useSecret(secret);
    await gateway.stop();
  });

  async function useEverything(server: ServerClient): Promise<void> {
    secrets.set('access token', 'token-of-a-device-51').set('unknown token', 'token-of-nobody-52');
    secrets.set('command', 'secret-parameter-53').set('answer', 'secret-answer-54');
    secrets.set('provisioning key', 'provision-key-57').set('provisioning secret', 'provision-secret-58');
    secrets.set('unknown provisioning key', 'unknown-key-59').set('MQTT password', 'mqtt-password-60');
    secrets.set('claim', 'claim-secret-61');
    secrets.set('wrong password', 'wrong-password-55').set('telemetry', 'secret-value-56');
    secrets.set('generated access token', await server.tokenOf(await server.createDevice('')));
    const id = await server.createDevice('token-of-a-device-51');
    await expect(ServerClient.login(gateway.http, ADMIN_EMAIL, 'wrong-password-55')).rejects.toThrow('401');
    await server.send('POST', '/api/auth/login', '{"username":"x","password":"wrong-password-55"');
    await server.send('POST', '/api/device?accessToken=token-of-a-device-51', { name: 'the token is taken' });
    await server.send('GET', '/api/device/%zz?accessToken=token-of-a-device-51');
    await fetch(`http://127.0.0.1:${gateway.http}/api/device/${id}`, {
      headers: { 'X-Authorization': `Bearer ${server.jwt}x`, Authorization: 'Bearer token-of-nobody-52' },
    });
    await provision(server);
    for (const token of ['token-of-a-device-51', 'token-of-nobody-52']) {
      const http = new HttpDevice(gateway.http, token);
      const coap = await CoapDevice.open(gateway.coap, token);
      await http.post('claim', '{"secretKey":"claim-secret-61"}');
      await coap.post('claim', '{"secretKey":"claim-secret-61","durationMs":"claim-secret-61"}');
      const bodies = ['{"k":"secret-value-56"}', '{"secret-value-56', `{"${'k'.repeat(300)}":"secret-value-56"}`];
      for (const feature of ['telemetry', 'attributes', 'rpc', 'rpc/7', 'nothing', 'claim']) {
        for (const body of [...bodies, '{"method":"secret-value-56","params":"secret-value-56"}']) {
          await http.post(feature, body);
          await coap.post(feature, body);
        }
        await http.get(`${feature}?timeout=1&token=${token}`);
        await coap.get(feature);
      }
      coap.close();
    }
    const http = new HttpDevice(gateway.http, 'token-of-a-device-51');
    await http.poll('attributes/updates', 1);
    // The second event pushes the first out of the log: the one warning that a poll can cause.
    for (const n of [1, 2, 3]) await server.share(id, { n: `secret-value-56 ${n}` });
    await http.poll('attributes/updates', 1);
    const poll = http.poll('rpc');
    const command = { method: 'm', params: 'secret-parameter-53', timeout: 20_000 };
    const answer = server.command('twoway', id, command);
    await poll;
    await http.post('rpc/0', '{"answer":"secret-answer-54"}');
    expect((await answer).text).toContain('secret-answer-54');
  }

  async function provision(server: ServerClient): Promise<void> {
    const provisionType = 'ALLOW_CREATE_NEW_DEVICES';
    const [provisionDeviceKey, provisionDeviceSecret] = ['provision-key-57', 'provision-secret-58'];
    const profileData = { provisionConfiguration: { type: provisionType, provisionDeviceSecret } };
    const profile = { name: 'p', type: 'DEFAULT', transportType: 'DEFAULT', provisionType, provisionDeviceKey };
    await server.send('POST', '/api/deviceProfile', { ...profile, profileData });
    const coap = await CoapDevice.open(gateway.coap, 'any');
    const http = (body: string) => fetch(`http://127.0.0.1:${gateway.http}/api/v1/provision`, { method: 'POST', body });
    const statuses = new Set<number>();
    const keys = { provisionDeviceKey, provisionDeviceSecret };
    const mqtt = { credentialsType: 'MQTT_BASIC', clientId: 'c', password: 'mqtt-password-60' };
    for (const body of [
      { ...keys, deviceName: 'new', token: 'token-of-a-device-51' },
      { ...keys, deviceName: 'new', ...mqtt },
      { ...keys, deviceName: 'new', ...mqtt, username: 'u' },
      { ...keys, provisionDeviceSecret: 'unknown-key-59' },
      { ...keys, provisionDeviceKey: 'unknown-key-59', token: { 'provision-secret-58': 1 } },
    ]) {
      const text = JSON.stringify(body);
      for (const each of [text, text.slice(0, -1)]) {
        statuses.add((await http(each)).status);
        await coap.post('provision', each);
      }
    }
    coap.close();
    expect([...statuses].sort()).toEqual([200, 400]);
  }

  it('there is something in the log to be scanned', () => {
    const levels = new Set(gateway.log.map(({ level }) => level));
    expect(levels).toContain('info');
    expect(levels).toContain('warn');
  });

  it('no token, password, JWT or payload stands in it', () => {
    const written = gateway.stdout + gateway.stderr;
    const found = [...secrets].filter(([, secret]) => secret.length < 8 || written.includes(secret));
    expect(found).toEqual([]);
    expect(written).not.toMatch(/eyJ[\w-]+\.[\w-]+/);
  });

  it('every line is JSON with level, message and time stamp', () => {
    for (const line of gateway.log) {
      expect(line).toMatchObject({
        level: expect.stringMatching(/^(error|warn|info|debug)$/),
        message: expect.any(String),
      });
      expect(new Date(line.timestamp).toISOString()).toBe(line.timestamp);
    }
    expect(gateway.stderr).toBe('');
  });
});
