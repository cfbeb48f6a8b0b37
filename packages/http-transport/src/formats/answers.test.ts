import { CBOR, hex, useSpeaker } from './testing/speaker';

const speaker = useSpeaker();
const { command, get, post, share } = speaker;

describe('an answer over HTTP', () => {
  beforeEach(async () => {
    await post('/attributes', undefined, '{"level":42.0,"tree":{"b":[1,2.0]}}');
    await share('limit', '7');
  });
  const JSON_TEXT = '{"client":{"level":42.0,"tree":{"b":[1,2.0]}},"shared":{"limit":7}}';
  const CBOR_HEX = 'a266636c69656e74a2656c6576656cf951406474726565a161628201f9400066736861726564a1656c696d697407';

  it.each([
    undefined,
    '*/*',
    'application/json',
    'text/plain',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
    'application/*',
    'application/json;q=0.5, */*',
    'application/json, application/cbor',
    'application/cbor;q=0.5, application/json',
    'application/cbor;q=0',
    'application/xml, application/cbor;q=0.3, */*;q=0.9',
    `${'x'.repeat(2000)}, application/cbor`,
  ])('is JSON for Accept %s', async (accept) => {
    expect(await get('/attributes', accept)).toMatchObject({
      status: 200,
      text: JSON_TEXT,
      headers: { 'content-type': 'application/json', vary: 'Accept' },
    });
  });

  it.each([
    'application/cbor',
    'APPLICATION/CBOR',
    'application/cbor, application/json',
    'application/cbor, */*',
    'application/json;q=0.5, application/cbor;q=0.6',
    'application/cbor;x="a,b;q=0", text/plain',
    'text/plain, application/cbor; q=0.1',
  ])('is CBOR for Accept %s', async (accept) => {
    const answer = await get('/attributes', accept);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': CBOR, vary: 'Accept' } });
    expect(answer.payload.toString('hex')).toBe(CBOR_HEX);
    expect(answer.headers['content-length']).toBe(String(CBOR_HEX.length / 2));
  });

  it('is SenML where that is asked for', async () => {
    expect(await get('/attributes', 'application/senml+json')).toMatchObject({
      text:
        '[{"bn":"client/","n":"level","v":42.0},{"n":"tree","vs":"{\\"b\\":[1,2.0]}"},' +
        '{"bn":"shared/","n":"limit","v":7}]',
      headers: { 'content-type': 'application/senml+json' },
    });
    const cbor = await get('/attributes?sharedKeys=limit', 'application/senml+cbor');
    expect(cbor.payload.toString('hex')).toBe('81a321677368617265642f00656c696d69740207');
    expect(await get('/attributes?sharedKeys=none', 'application/senml+json')).toMatchObject({
      status: 200,
      text: '[]',
    });
  });

  it('to a HEAD has the headers of the format', async () => {
    const { headers } = await speaker.gateway.send('HEAD', `/${speaker.device.token}/attributes`, {
      headers: { Accept: CBOR },
    });
    expect(headers).toMatchObject({ 'content-type': CBOR, 'content-length': String(CBOR_HEX.length / 2) });
  });

  it('holds what JSON nests as deep as it may', async () => {
    const deep = `${'['.repeat(254)}1${']'.repeat(254)}`;
    expect(await post('/attributes', undefined, `{"deep":${deep}}`)).toMatchObject({ status: 200 });
    expect(await get('/attributes?clientKeys=deep', CBOR)).toMatchObject({ status: 200 });
  });

  it('to a poll of updates is in the format the poll asked for', async () => {
    const polls = [
      get('/attributes/updates', CBOR),
      get('/attributes/updates', 'application/senml+json'),
      get('/attributes/updates'),
    ];
    await speaker.gateway.polls(3);
    await share('a', '1.5');
    const [cbor, senml, json] = await Promise.all(polls);
    expect(cbor?.payload.toString('hex')).toBe('a16161f93e00');
    expect(senml).toMatchObject({ text: '[{"n":"a","v":1.5}]', headers: { vary: 'Accept' } });
    expect(json?.text).toBe('{"a":1.5}');
    const later = get('/attributes/updates', 'application/senml+json');
    await speaker.gateway.core.attributes.delete(speaker.device.id, 'SHARED', ['a']);
    expect((await later).text).toBe('[{"n":"a","v":null}]');
  });

  it('to a poll of commands is in the format the poll asked for, and SenML has none', async () => {
    void command('m', '{"b":1.0}');
    const cbor = await get('/rpc', CBOR);
    expect(cbor.payload.toString('hex')).toBe('a362696400666d6574686f64616d66706172616d73a16162f93c00');
    void command('m', '2');
    expect(JSON.parse((await get('/rpc', 'application/senml+cbor')).text)).toMatchObject({ method: 'm' });
  });

  it('to a command of the device is JSON where it refuses the format of the command', async () => {
    const body = hex('a2666d6574686f64616d66706172616d7301');
    const type = async (accept: string) => (await post('/rpc', CBOR, body, { Accept: accept })).headers['content-type'];
    for (const accept of ['application/cbor;q=0, */*', 'application/cbor;q=0', '*/*, application/cbor;q=0.0']) {
      expect(await type(accept)).toBe('application/json');
    }
    for (const accept of ['text/html', '*/*', 'application/cbor;q=0.1']) expect(await type(accept)).toBe(CBOR);
  });

  it('to a command of the device is in the format of the command, unless it asks for another', async () => {
    const body = hex('a2666d6574686f64616d66706172616d7301');
    for (const accept of [undefined, '*/*', CBOR]) {
      const answer = await post('/rpc', CBOR, body, accept === undefined ? {} : { Accept: accept });
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': CBOR } });
      expect(answer.payload).toEqual(body);
    }
    for (const accept of ['application/json', 'application/json, */*;q=0.1']) {
      expect(await post('/rpc', CBOR, body, { Accept: accept })).toMatchObject({ text: '{"method":"m","params":1}' });
    }
    const asked = await post('/rpc', undefined, '{"method":"m","params":1}', { Accept: CBOR });
    expect(asked.payload).toEqual(body);
  });
});
