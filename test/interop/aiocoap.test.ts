import { freeUdpPort } from '../support/free-port';
import { AiocoapClient } from './aiocoap-client';
import { type InteropDevice, InteropGateway, text, WEBHOOK_REPLY } from './interop-gateway';

/** Set by `npm run interop`: aiocoap comes from pip, which not every machine has. */
const PYTHON = process.env.TANDEM_INTEROP_AIOCOAP;

const describeWithAiocoap = PYTHON === undefined ? describe.skip : describe;
const HOW = PYTHON === undefined ? ' (only in npm run interop, which fetches aiocoap with pip)' : '';

describeWithAiocoap(`aiocoap${HOW}`, () => {
  let gateway: InteropGateway;
  let device: InteropDevice;
  let client: AiocoapClient;
  beforeAll(async () => {
    gateway = await InteropGateway.start();
  });
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    client = new AiocoapClient(PYTHON as string);
    device = await gateway.device();
  });
  afterEach(async () => {
    await client.end();
    await gateway.remove(device);
  });

  const url = (feature: string) => gateway.url(device, feature);
  const ask = async (feature: string, more: object = {}) => {
    const { code, payload } = await client.request({ url: url(feature), ...more });
    return `${code} ${payload}`.trim();
  };
  const post = (feature: string, payload: string, more: object = {}) =>
    ask(feature, { method: 'POST', payload, ...more });

  describe.each([
    ['Confirmable', false],
    ['Non-confirmable', true],
  ])('with %s messages', (_, non) => {
    it('posts telemetry and reads attributes', async () => {
      expect(await post('telemetry', '{"a":1}', { non })).toBe('2.01');
      await gateway.stored(device, { a: '1' });
      await post('attributes', '{"mine":1}', { non });
      expect(await ask('attributes?clientKeys=mine', { non })).toBe('2.05 {"client":{"mine":1}}');
    });

    it('waits for the separate answer to a command of its own', async () => {
      expect(await post('rpc', '{"method":"ask","params":{}}', { non })).toBe(`2.05 ${WEBHOOK_REPLY}`);
    });

    it('observes attributes, also a notification longer than a block', async () => {
      const observation = await client.observe({ url: url('attributes'), non });
      expect(await observation.next(0)).toMatchObject({ code: '2.05', payload: '{}' });
      await gateway.server.share(device.id, { x: 1 });
      expect(await observation.next(1)).toMatchObject({ code: '2.05', payload: '{"x":1}' });
      const long = text(5_000);
      await gateway.server.share(device.id, { long });
      expect(await observation.next(2)).toMatchObject({ code: '2.05', payload: JSON.stringify({ long }) });
      await gateway.server.unshare(device.id, ['x']);
      expect(await observation.next(3)).toMatchObject({ code: '2.05', payload: '{"deleted":["x"]}' });
    });

    it('takes the place of its observation with a new one', async () => {
      const first = await client.observe({ url: url('attributes'), non });
      await gateway.server.share(device.id, { x: 1 });
      await first.next(1);
      const second = await client.observe({ url: url('attributes'), non });
      expect(await second.next(0)).toMatchObject({ code: '2.05', payload: '{"x":1}' });
      await gateway.process.observations(1);
      await gateway.server.share(device.id, { x: 2 });
      expect(await second.next(1)).toMatchObject({ code: '2.05', payload: '{"x":2}' });
      // The final 2.02 without Observe.
      expect(await first.next(2)).toMatchObject({ code: '2.02', payload: '' });
    });

    it('gets a command and answers it', async () => {
      const observation = await client.observe({ url: url('rpc'), non });
      expect(await observation.next(0)).toMatchObject({ code: '2.03', payload: '' });
      const command = await gateway.server.persistentCommand(device.id, 'do', { pin: 1 });
      expect(await observation.next(1)).toMatchObject({
        code: '2.05',
        payload: '{"id":0,"method":"do","params":{"pin":1}}',
      });
      expect(await post('rpc/0', '{"done":true}', { non })).toBe('2.01');
      await gateway.commandBecomes(command, 'SUCCESSFUL');
    });
  });

  // What is Non-confirmable and unknown to it aiocoap drops (RFC 7252 section 4.3 allows both).
  it('resets, after a restart at its port, what its observation brings, and so ends it', async () => {
    const port = await freeUdpPort();
    const before = new AiocoapClient(PYTHON as string, port);
    await before.observe({ url: url('attributes') });
    await gateway.process.observations(1);
    await before.end();
    const after = new AiocoapClient(PYTHON as string, port);
    await after.request({ url: url('attributes') });
    await gateway.server.share(device.id, { x: 1 });
    await gateway.process.observations(0);
    await after.end();
  });

  it('uploads 20 kB and downloads it', async () => {
    const value = text(20_000);
    expect(await post('attributes', JSON.stringify({ value }))).toBe('2.01');
    expect(await ask('attributes')).toBe(`2.05 ${JSON.stringify({ client: { value } })}`);
  });

  it('is told 4.01 for a wrong token and 4.05 for a method that is none of ours', async () => {
    expect(await ask('telemetry', { method: 'PUT', payload: '{}' })).toBe('4.05');
    const { code } = await client.request({ url: `${gateway.base}/api/v1/nope/attributes` });
    expect(code).toBe('4.01');
  });

  describe('at a gateway where an address has to prove itself', () => {
    let proving: InteropGateway;
    beforeAll(async () => {
      proving = await InteropGateway.start({ COAP_ECHO: 'on' });
    });
    afterAll(() => proving.stop());

    it('reads a long attribute with the Echo option it is given, and later without', async () => {
      const prover = await proving.device();
      const value = text(5_000);
      await proving.server.share(prover.id, { value });
      const request = { url: proving.url(prover, 'attributes') };
      const wanted = { code: '2.05', payload: JSON.stringify({ shared: { value } }) };
      expect(await client.request(request)).toMatchObject({ ...wanted, challenged: true });
      expect(await client.request(request)).toMatchObject({ ...wanted, challenged: false });
    });

    it('observes with the Echo option it is given', async () => {
      const prover = await proving.device();
      const observation = await client.observe({ url: proving.url(prover, 'attributes') });
      expect(await observation.next(0)).toMatchObject({ code: '2.05', payload: '{}', challenged: true });
      await proving.server.share(prover.id, { x: 1 });
      expect(await observation.next(1)).toMatchObject({ code: '2.05', payload: '{"x":1}' });
    });
  });
});
