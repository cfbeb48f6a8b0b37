import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

const run = promisify(execFile);

let gateway: GatewayProcess;
let server: ServerClient;
let made = 0;
const commands: ChildProcess[] = [];

beforeAll(async () => {
  gateway = await GatewayProcess.start();
  server = await ServerClient.login(gateway.http);
});

afterAll(async () => {
  for (const command of commands) command.kill('SIGKILL');
  await cleanUp();
});

async function newDevice() {
  const token = `both-${++made}`;
  const id = await server.createDevice(token);
  return { token, id, http: new HttpDevice(gateway.http, token), coap: await CoapDevice.open(gateway.coap, token) };
}

describe('One save of shared attributes', () => {
  it('reaches an open HTTP poll and a CoAP observation of the device alike', async () => {
    const { id, http, coap } = await newDevice();
    const poll = http.poll('attributes/updates');
    const observation = coap.observe('attributes');
    expect(await observation.next()).toMatchObject({ code: '2.05', text: '{}', observe: true });
    await gateway.openPolls(1);
    await server.share(id, '{"target":21.0,"on":true}');
    expect(await poll).toMatchObject({ status: 200, text: '{"target":21.0,"on":true}' });
    expect(await observation.next()).toMatchObject({ code: '2.05', text: '{"target":21.0,"on":true}', observe: true });
    coap.close();
  });

  it('is seen by the real curl and the real coap-client', async () => {
    const { token, id } = await newDevice();
    const before = await gateway.metric('tandem_coap_observations');
    const poll = run('curl', ['-s', `http://127.0.0.1:${gateway.http}/api/v1/${token}/attributes/updates`]);
    const observer = spawn(
      'coap-client-notls',
      ['-s', '20', '-m', 'get', `coap://127.0.0.1:${gateway.coap}/api/v1/${token}/attributes`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    commands.push(observer);
    const notified = new Promise<string>((resolve) => {
      let text = '';
      observer.stdout.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.includes('colour')) resolve(text);
      });
    });
    await gateway.openPolls(1);
    await gateway.observations(before + 1);
    await server.share(id, { colour: 'red' });
    expect((await poll).stdout).toBe('{"colour":"red"}');
    expect(await notified).toContain('{"colour":"red"}');
  });
});

describe('What a device sends', () => {
  it('is the same over either protocol, to the server and to the device itself', async () => {
    const { id, http, coap } = await newDevice();
    expect((await http.post('attributes', '{"firmware":"v1"}')).status).toBe(200);
    expect((await coap.post('attributes', '{"serial":12345678901234567}')).code).toBe('2.01');
    expect(await server.attributes(id, 'CLIENT_SCOPE')).toMatchObject({ firmware: 'v1' });
    expect((await coap.get('attributes')).text).toBe((await http.get('attributes')).text);
    expect((await http.get('attributes?clientKeys=serial')).text).toBe('{"client":{"serial":12345678901234567}}');
    coap.close();
  });
});

describe('A two-way command', () => {
  it('that an HTTP poll took is answered over HTTP', async () => {
    const { id, http } = await newDevice();
    const poll = http.poll('rpc');
    const answer = server.command('twoway', id, { method: 'm', params: { n: 1 }, timeout: 20_000 });
    expect(await poll).toMatchObject({ status: 200, text: '{"id":0,"method":"m","params":{"n":1}}' });
    expect((await http.post('rpc/0', '{"done":1.0}')).status).toBe(200);
    expect(await answer).toEqual({ status: 200, text: '{"done":1.0}' });
  });

  it('that an observer got is answered over CoAP', async () => {
    const { id, coap } = await newDevice();
    const observation = coap.observe('rpc');
    expect((await observation.next()).code).toBe('2.03');
    const answer = server.command('twoway', id, { method: 'm', params: null, timeout: 20_000 });
    expect((await observation.next()).text).toBe('{"id":0,"method":"m","params":null}');
    expect((await coap.post('rpc/0', '{"led":"off"}')).code).toBe('2.01');
    expect(await answer).toEqual({ status: 200, text: '{"led":"off"}' });
    coap.close();
  });

  it('taken over one protocol may be answered over the other', async () => {
    const { id, http, coap } = await newDevice();
    const poll = http.poll('rpc');
    const answer = server.command('twoway', id, { method: 'm', timeout: 20_000 });
    expect((await poll).text).toContain('"id":0');
    expect((await coap.post('rpc/0', '{"by":"coap"}')).code).toBe('2.01');
    expect((await answer).text).toBe('{"by":"coap"}');
    coap.close();
  });
});
