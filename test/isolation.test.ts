import { CoapDevice } from './support/coap-device';
import { cleanUp, GatewayProcess } from './support/gateway-process';
import { HttpDevice } from './support/http-device';
import { ServerClient } from './support/server-client';

/** Two devices; `eve` tries to get at what is `alice`'s. */
let gateway: GatewayProcess;
let server: ServerClient;
let alice: { readonly id: string; readonly http: HttpDevice; readonly coap: CoapDevice };
let eve: typeof alice;

beforeAll(async () => {
  gateway = await GatewayProcess.start();
  server = await ServerClient.login(gateway.http);
  const device = async (token: string) => ({
    id: await server.createDevice(token),
    http: new HttpDevice(gateway.http, token),
    coap: await CoapDevice.open(gateway.coap, token),
  });
  alice = await device('alice');
  eve = await device('eve');
  await server.share(alice.id, { shared: 'of-alice' });
  await alice.http.post('attributes', '{"client":"of-alice"}');
  await alice.http.post('telemetry', '{"t":"of-alice"}');
});

afterAll(async () => {
  for (const device of [alice, eve]) device.coap.close();
  await cleanUp();
});

describe('The token of another device', () => {
  it('reads no attributes over HTTP and over CoAP', async () => {
    for (const query of ['', '?clientKeys=client&sharedKeys=shared']) {
      expect(await eve.http.get(`attributes${query}`)).toMatchObject({ status: 200, text: '{}' });
    }
    expect(await eve.coap.get('attributes')).toMatchObject({ code: '4.04', text: '' });
  });

  it('gets no update of its neighbour, neither by poll nor by observation', async () => {
    const observation = eve.coap.observe('attributes');
    expect((await observation.next()).text).toBe('{}');
    const foreign = eve.http.poll('attributes/updates', 1_500);
    const own = alice.http.poll('attributes/updates');
    await gateway.openPolls(2);
    await server.share(alice.id, { shared: 'changed' });
    expect((await own).text).toBe('{"shared":"changed"}');
    expect(await foreign).toMatchObject({ status: 408, text: '' });
    expect(observation.unread).toBe(0);
  });

  it('gets no command of its neighbour, and its answer to that id is nobody’s', async () => {
    const foreignObservation = eve.coap.observe('rpc');
    await foreignObservation.next();
    const foreignPoll = eve.http.poll('rpc', 1_500);
    const own = alice.http.poll('rpc');
    await gateway.openPolls(2);
    const answer = server.command('twoway', alice.id, { method: 'open', params: {}, timeout: 20_000 });
    expect((await own).text).toContain('"method":"open"');
    expect((await eve.http.post('rpc/0', '{"forged":"http"}')).status).toBe(200);
    expect((await eve.coap.post('rpc/0', '{"forged":"coap"}')).code).toBe('2.01');
    expect(await foreignPoll).toMatchObject({ status: 408, text: '' });
    await alice.http.post('rpc/0', '{"real":true}');
    expect(await answer).toEqual({ status: 200, text: '{"real":true}' });
    expect(foreignObservation.unread).toBe(0);
  });

  it('writes nothing into its neighbour', async () => {
    await eve.http.post('attributes', '{"client":"of-eve"}');
    await eve.coap.post('telemetry', '{"t":"of-eve"}');
    expect(await server.attributes(alice.id, 'CLIENT_SCOPE')).toEqual({ client: 'of-alice' });
    expect((await alice.http.get('attributes?clientKeys=client')).text).toBe('{"client":{"client":"of-alice"}}');
  });
});

describe('A token that no device has', () => {
  it('is refused everywhere, and nothing is told', async () => {
    const nobody = { http: new HttpDevice(gateway.http, 'alic'), coap: await CoapDevice.open(gateway.coap, 'alic') };
    for (const path of ['attributes', 'attributes/updates', 'rpc']) {
      expect(await nobody.http.get(path)).toMatchObject({ status: 401, text: '' });
    }
    for (const path of ['telemetry', 'attributes', 'rpc', 'rpc/0']) {
      expect(await nobody.http.post(path, '{"method":"getTime","params":{}}')).toMatchObject({ status: 401, text: '' });
      expect(await nobody.coap.post(path, '{"method":"getTime"}')).toMatchObject({ code: '4.01', text: '' });
    }
    expect(await nobody.coap.get('attributes')).toMatchObject({ code: '4.01', text: '' });
    expect(await nobody.coap.observe('attributes').next()).toMatchObject({ code: '4.01', text: '', observe: false });
    expect(await nobody.coap.observe('rpc').next()).toMatchObject({ code: '4.01', text: '', observe: false });
    nobody.coap.close();
  });

  it('is the old one as soon as the credentials have been changed; its polls and observations end', async () => {
    const id = await server.createDevice('before');
    const http = new HttpDevice(gateway.http, 'before');
    const coap = await CoapDevice.open(gateway.coap, 'before');
    const observation = coap.observe('attributes');
    await observation.next();
    const poll = http.poll('attributes/updates');
    await gateway.openPolls(1);
    const path = `/api/device/${id}/credentials`;
    const credentials = JSON.parse((await server.send('GET', path)).text) as object;
    const saved = await server.send('POST', '/api/device/credentials', { ...credentials, credentialsId: 'after' });
    expect(saved.status).toBe(200);
    expect((await http.get('attributes')).status).toBe(401);
    expect((await coap.get('attributes')).code).toBe('4.01');
    expect((await poll).status).toBe(408);
    expect(await observation.next()).toMatchObject({ observe: false });
    expect((await new HttpDevice(gateway.http, 'after').get('attributes')).status).toBe(200);
    coap.close();
  });
});
