import { parseClientRpc, parseRpcReply } from './rpc-payload';

describe('the reply to a server-side RPC (contract 2.5.3, 3.8)', () => {
  const any = (text: string) => parseRpcReply(Buffer.from(text), 'any');
  const object = (text: string) => parseRpcReply(Buffer.from(text), 'object');

  it.each([
    ['{"result" : "ok"}', '{"result":"ok"}'],
    ['{result:ok, value:42.0}', '{"result":"ok","value":42.0}'],
    [' 42.0 ', '42.0'],
    ['"hello"', '"hello"'],
    ["'hello'", '"hello"'],
    ['NULL', 'null'],
    ['[1,2.50,{"b":1,"7":2}]', '[1,2.50,{"b":1,"7":2}]'],
  ])('over HTTP %s reaches the caller as the JSON %s', (body, text) => {
    expect(any(body)).toEqual({ text, isJson: true });
  });

  it.each(['hello world', 'hello', 'NaN', '+5', '{"a":1', '{"a":1}x', '  ', '['.repeat(1000)])(
    'over HTTP %s reaches the caller as it came, not as JSON',
    (body) => {
      expect(any(body)).toEqual({ text: body, isJson: false });
    },
  );

  it('over CoAP it is an object, leniently read', () => {
    expect(object('{result: ok}')).toEqual({ text: '{"result":"ok"}', isJson: true });
  });

  it('TV-271: over CoAP anything else is refused', () => {
    expect(() => object('5')).toThrow("Can't parse value: 5");
    expect(() => object('[{}]')).toThrow("Can't parse value: [{}]");
    expect(() => object('hello world')).toThrow('Not JSON');
    expect(() => object('')).toThrow("Can't parse value: null");
  });
});

describe("a device's own command (contract 2.5.4, 3.8)", () => {
  const http = (text: string) => parseClientRpc(Buffer.from(text), { paramsRequired: true });
  const coap = (text: string) => parseClientRpc(Buffer.from(text), { paramsRequired: false });

  it.each([
    ['TV-193', '{"method":"getTime","params":{}}', { method: 'getTime', params: '{}' }],
    ['TV-197', '{"method":"m","params":null}', { method: 'm', params: 'null' }],
    ['a number as method', '{"method":42.0,"params":1}', { method: '42.0', params: '1' }],
    ['an integer as method', '{"method":42,"params":1}', { method: '42', params: '1' }],
    ['a boolean as method', '{"method":TRUE,"params":1}', { method: 'true', params: '1' }],
    [
      'number texts and member order',
      '{x:1,method:m,params:{b : 42.0, "7" : "7"}}',
      { method: 'm', params: '{"b":42.0,"7":"7"}' },
    ],
  ])('%s: %s is understood', (_what, body, expected) => {
    expect(http(body)).toEqual(expected);
    expect(coap(body)).toEqual(expected);
  });

  it('TV-195, TV-268: params are required over HTTP and null where CoAP has none', () => {
    expect(() => http('{"method":"getTime"}')).toThrow('`params` is missing');
    expect(coap('{"method":"getTime"}')).toEqual({ method: 'getTime', params: 'null' });
  });

  it.each([
    ['TV-196, TV-269', '{"params":{}}', '`method` is missing'],
    ['a null method', '{"method":null,"params":{}}', '`method` is not a string'],
    ['an object as method', '{"method":{},"params":{}}', '`method` is not a string'],
    ['TV-198', '[]', "Can't parse value: []"],
    ['bad JSON', '{"method":', 'Not JSON'],
  ])('%s: %s is refused', (_what, body, words) => {
    expect(() => http(body)).toThrow(words);
    expect(() => coap(body)).toThrow(words);
  });
});
