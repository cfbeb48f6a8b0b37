import { useSpeaker } from './testing/speaker';

const speaker = useSpeaker();
const { command, get, post, share, stored } = speaker;

describe("a codec of one's own over HTTP", () => {
  it('reads and writes, by any of its names, and says which with the first', async () => {
    expect(await post('/telemetry', 'text/x-lines-too', 'a=1\nb=1e10')).toMatchObject({ status: 200 });
    expect(await stored()).toEqual({ a: '1', b: '1.0E10' });
    await share('x', '1');
    expect(await get('/attributes', 'text/x-lines-too')).toMatchObject({
      text: 'attributes {"shared":{"x":1}}',
      headers: { 'content-type': 'text/x-lines' },
    });
  });

  it('is not asked about what it is not for', async () => {
    await share('x', '1');
    const poll = get('/attributes/updates', 'text/x-lines');
    await speaker.gateway.polls(1);
    await share('x', '2');
    expect(await poll).toMatchObject({ text: '{"x":2}', headers: { 'content-type': 'application/json' } });
  });

  it('that fails to write is a fault of the gateway, which is logged and not told', async () => {
    await share('x', '"unspeakable"');
    const answer = await get('/attributes', 'text/x-lines');
    expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/json' } });
    expect(answer.text).not.toContain('no word');
    const id = answer.headers['x-correlation-id'];
    const told = speaker.gateway.log.filter((line) => line.includes(String(id)));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('a payload codec failed to encode {"codec":"lines","kind":"attributes"');
  });

  it('that fails to write the answer to a command of the device has that answered as well', async () => {
    const answer = await post('/rpc', undefined, '{"method":"unspeakable","params":1}', { Accept: 'text/x-lines' });
    expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/json' } });
    const other = await post('/rpc', undefined, '{"method":"m","params":1}', { Accept: 'text/x-lines' });
    expect(other.text).toBe('reply {"method":"m","params":1}');
  });

  it('that fails to write an update answers 500 once, and the poll after it gets the next one', async () => {
    const poll = () => get('/attributes/updates?timeout=5000', 'text/x-mute');
    const first = poll();
    await speaker.gateway.polls(1);
    await share('x', '"unspeakable"');
    expect(await first).toMatchObject({ status: 500 });
    await share('x', '2');
    expect(await poll()).toMatchObject({ status: 200, text: '{"x":2}' });
  });

  it('that fails to write a command fails the command, and the next one is delivered', async () => {
    const first = command('unspeakable', '1');
    void command('m', '2');
    const answer = await get('/rpc', 'text/x-lines');
    expect(answer.text).toMatch(/^command {"id":\d+,"method":"m","params":2}$/);
    expect(await first).not.toMatchObject({ kind: 'answered' });
  });
});
