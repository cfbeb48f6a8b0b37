import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocketClient } from '../packages/server-api/src/testing/web-socket-client';
import { CoapDevice, type CoapExchange } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

afterAll(cleanUp);

const LONGEST_STOP = 10_000;

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', (signal) => {
  it('answers who waits, tells observers, and ends the process in good order', async () => {
    const gateway = await GatewayProcess.start();
    const server = await ServerClient.login(gateway.http);
    await server.createDevice('waiting');
    const device = new HttpDevice(gateway.http, 'waiting');
    const coap = await CoapDevice.open(gateway.coap, 'waiting');
    const observations = [coap.observe('attributes'), coap.observe('rpc')];
    for (const observation of observations) await observation.next();
    const polls = [device.poll('attributes/updates'), device.poll('rpc')];
    await gateway.openPolls(2);
    // Nobody answers it: what a device asked the server waits as well.
    const asked = device.post('rpc', '{"method":"unanswered","params":{}}');
    await gateway.settled('tandem_client_rpcs_waiting', 1);
    gateway.kill(signal);
    for (const answer of await Promise.all([...polls, asked])) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(JSON.parse(answer.text)).toMatchObject({ status: 503, message: 'The gateway is shutting down' });
    }
    for (const observation of observations) {
      const final = await observation.next();
      expect(final).toMatchObject({ code: '5.03', observe: false });
      expect(final.maxAge).toBeGreaterThan(0);
    }
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(gateway.log.at(-1)?.message).toBe('stopped');
    expect(gateway.log.find(({ message }) => message === 'stopping')).toMatchObject({ signal });
    expect(gateway.stderr).toBe('');
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([]);
    coap.close();
  });
});

describe('A gateway whose log nobody reads any more', () => {
  it('goes on, and stops in good order', async () => {
    const gateway = await GatewayProcess.start({ TANDEM_LOG_LEVEL: 'debug' });
    const server = await ServerClient.login(gateway.http);
    gateway.closeOutput();
    await server.createDevice('unheard-of');
    const device = new HttpDevice(gateway.http, 'unheard-of');
    expect((await device.post('telemetry', '{"a":1}')).status).toBe(200);
    gateway.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
  });
});

describe('A stop under the weight of devices', () => {
  it('ends 500 polls, 500 observations and idle connections in time, whatever is signalled on top', async () => {
    const COUNT = 500;
    const gateway = await GatewayProcess.start();
    const server = await ServerClient.login(gateway.http);
    const tokens = Array.from({ length: COUNT }, (_, i) => `token-in-the-crowd-${i}`);
    await Promise.all(tokens.map((token) => server.createDevice(token)));
    const peers = await Promise.all(tokens.map((token) => CoapDevice.open(gateway.coap, token)));
    const observations: CoapExchange[] = [];
    for (const peer of peers) {
      const observation = peer.observe('attributes');
      await observation.next();
      observations.push(observation);
    }
    const polls = Promise.all(tokens.map((token) => new HttpDevice(gateway.http, token).poll('attributes/updates')));
    const idle = Array.from({ length: 20 }, (_, i) => {
      const socket = connect(i % 2 === 0 ? gateway.http : gateway.metrics, '127.0.0.1');
      socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
      return { answered: once(socket.resume(), 'data'), closed: once(socket, 'close') };
    });
    await Promise.all(idle.map(({ answered }) => answered));
    await gateway.openPolls(COUNT);
    await gateway.observations(COUNT);

    const begun = performance.now();
    gateway.kill('SIGTERM');
    await gateway.logged('stopping');
    gateway.kill('SIGTERM');
    gateway.kill('SIGINT');
    const answers = await polls;
    expect(answers.filter(({ status, headers }) => status !== 503 || !headers['retry-after'])).toEqual([]);
    const finals = await Promise.all(observations.map((observation) => observation.next()));
    expect(finals.filter(({ code, observe }) => code !== '5.03' || observe)).toEqual([]);
    await Promise.all(idle.map(({ closed }) => closed));
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(LONGEST_STOP);
    expect(gateway.log.filter(({ message }) => message === 'stopping')).toHaveLength(1);
    for (const peer of peers) peer.close();
  });
});

describe('WebSocket clients', () => {
  it('are told that the gateway goes; who does not answer does not keep the stop from ending', async () => {
    const gateway = await GatewayProcess.start();
    const { jwt } = await ServerClient.login(gateway.http);
    const [client, silent] = await Promise.all(
      ['/api/ws', '/api/ws/plugins/telemetry'].map((path) =>
        WebSocketClient.open(gateway.http, `${path}?token=${jwt}`),
      ),
    );
    if (!client || !silent) throw new Error('a client is missing');
    await gateway.settled('tandem_ws_strangers', 0);
    silent.socket.pause();
    const begun = performance.now();
    const exit = gateway.stop();
    expect(await client.closed).toBe('1001 The gateway is shutting down');
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(LONGEST_STOP);
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([]);
    silent.socket.terminate();
  });
});

describe('A client that never ends its request', () => {
  it('does not keep the stop from ending', async () => {
    const gateway = await GatewayProcess.start();
    const server = await ServerClient.login(gateway.http);
    await server.createDevice('slow');
    const socket = connect(gateway.http, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('POST /api/v1/slow/telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    await once(socket, 'connect');
    await ServerClient.login(gateway.http);
    const begun = performance.now();
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(LONGEST_STOP);
    socket.destroy();
  });
});

describe('SIGTERM during the start', () => {
  it('lets the start come to its end, and stops in good order', async () => {
    const gateway = GatewayProcess.launch({ TANDEM_ADMIN_PASSWORD: '' });
    await gateway.logged('first administrator made; the password is in the file');
    gateway.kill('SIGTERM');
    expect(await gateway.exit).toEqual({ code: 0, signal: null });
    expect(gateway.log.at(-1)?.message).toBe('stopped');
    const again = await gateway.again();
    expect((await again.stop()).code).toBe(0);
  });
});
