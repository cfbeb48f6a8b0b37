import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import { createLogger, format, transports } from 'winston';
import { redact } from './redact';
import { redactText } from './redact-text';

const written = (fields: unknown): unknown => JSON.parse(JSON.stringify(fields, redact));

it('cuts communities of SNMP out, and leaves the names of files that are about firmware', () => {
  expect(redactText('{"community":"SNMPSECRET"}')).toBe('{"community":"[redacted]"}');
  const line = 'at Downloads.next (/app/dist/firmware/downloads.js:12:5)';
  expect(redactText(line)).toBe(line);
});

describe('A log line', () => {
  it('shows no field that is named like a secret, of whatever type, however deep', () => {
    expect(
      written({
        deviceId: 'd1',
        token: 'abc',
        accessToken: ['abc', 'def'],
        password: 12345678,
        Authorization: { scheme: 'Basic', rest: 'abc' },
        request: { headers: { 'x-authorization': 'abc' }, credentialsId: 'abc', credentialsValue: 'abc' },
        jwtSecret: Buffer.from('abc'),
      }),
    ).toEqual({
      deviceId: 'd1',
      token: '[redacted]',
      accessToken: '[redacted]',
      password: '[redacted]',
      Authorization: '[redacted]',
      request: {
        headers: { 'x-authorization': '[redacted]' },
        credentialsId: '[redacted]',
        credentialsValue: '[redacted]',
      },
      jwtSecret: '[redacted]',
    });
  });

  it('still says whether there is a secret at all', () => {
    expect(written({ token: null, hasPassword: true })).toEqual({ token: null, hasPassword: true });
  });

  it('shows no token of a device path', () => {
    expect(redactText('GET /api/v1/s3cret/attributes?x=1 failed')).toBe('GET /api/v1/[redacted]/attributes?x=1 failed');
    expect(redactText('http://h:8080/api/v1/s3cret')).toBe('http://h:8080/api/v1/[redacted]');
    expect(redactText("'/fw/s3cret' and /sw/other?size=1")).toBe("'/fw/[redacted]' and /sw/[redacted]?size=1");
  });

  it('shows no JWT and no bearer token in any text', () => {
    const jwt = 'eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ4In0.c2ln-bmF_0dXJl';
    expect(redactText(`refused ${jwt}, and ${jwt}`)).toBe('refused [redacted], and [redacted]');
    expect(redactText('authorization: Bearer s3cret and bearer other')).toBe(
      'authorization: Bearer [redacted] and bearer [redacted]',
    );
  });

  it('shows an error with its stack, without the secrets in it', () => {
    const { error } = written({ error: new Error('POST /api/v1/s3cret/rpc') }) as { error: string };
    expect(error).toContain('Error: POST /api/v1/[redacted]/rpc');
    expect(error).toContain('redact.test');
    expect(error).not.toContain('s3cret');
  });

  const SECRET = 's3cr3t-Value_91';
  const shown = (fields: unknown) => JSON.stringify(fields, redact);

  it.each([
    ['a path of segments', { path: ['api', 'v1', SECRET, 'telemetry'] }],
    ['a path of segments to a package', { path: ['fw', SECRET] }],
    ['headers as they came', { rawHeaders: ['Host', 'h', 'X-Authorization', SECRET, 'cookie', SECRET] }],
    [
      'a pair of name and value',
      {
        parameters: [
          { name: 'token', value: SECRET },
          { key: 'secretKey', value: SECRET },
        ],
      },
    ],
    ['entries', { entries: [['password', SECRET]] }],
    ['the name of a member', { waiting: { [`/api/v1/${SECRET}/rpc`]: 3 } }],
    ['a Buffer', { datagram: Buffer.from(SECRET) }],
    ['bytes', { datagram: new Uint8Array(Buffer.from(SECRET)) }],
    ['a Map', { known: new Map([['token', SECRET]]) }],
    ['a Set', { known: new Set([SECRET]) }],
    ['a URL', { target: new URL(`https://user:${SECRET}@example.org/hook?code=${SECRET}`) }],
    ['the cause of an error', { error: new Error('failed', { cause: new Error(`token=${SECRET}`) }) }],
    ['what an error has beside its message', { error: Object.assign(new Error('x'), { command: { args: [SECRET] } }) }],
    ['an error of errors', { error: new AggregateError([new Error(SECRET)], `GET /api/v1/${SECRET}/rpc`) }],
    ['members named like secrets', { apiKey: SECRET, refreshToken: SECRET, claimSecret: SECRET, passphrase: SECRET }],
    [
      'others',
      { provisionDeviceKey: SECRET, provisionDeviceSecret: SECRET, psk: SECRET, pskKey: SECRET, 'api-key': SECRET },
    ],
    ['what is deep within', { a: [{ b: { c: [{ JWT: SECRET, cookies: [SECRET] }] } }] }],
  ])('shows no secret in %s', (_name, fields) => {
    expect(shown(fields)).not.toContain(SECRET);
    expect(shown(fields)).not.toContain(String([...Buffer.from(SECRET)]));
  });

  const json = JSON.stringify({ deviceName: 'd', token: SECRET, list: [1] });
  it.each([
    ['a query', `GET /api/ws?token=${SECRET}&x=1`, 'GET /api/ws?token=[redacted]&x=1'],
    ['a later parameter', `/claim?x=1&secretKey=${SECRET}`, '/claim?x=1&secretKey=[redacted]'],
    ['an activation link', `http://h/api/noauth/activate?activateToken=${SECRET}`, /activateToken=\[redacted\]$/],
    ['an encoded path', `/%61pi/v1/${SECRET}/telemetry`, '/api/v1/[redacted]/telemetry'],
    ['a path whose slashes are encoded', `target=/api%2Fv1%2F${SECRET}%2Ftelemetry`, /v1%2F\[redacted\]%2Ftelemetry/],
    ['a path encoded twice', `/api%252Fv1%252F${SECRET}%252Frpc`, '/api%2Fv1%2F[redacted]%2Frpc'],
    ['an encoded query', `returnTo=%2Fws%3Ftoken%3D${SECRET}%26x%3D1`, 'returnTo=%2Fws%3Ftoken%3D[redacted]%26x%3D1'],
    ['a path without its first slash', `no answer to api/v1/${SECRET}/rpc`, 'no answer to api/v1/[redacted]/rpc'],
    ['a URL of CoAP', `coap://h/fw/${SECRET}`, 'coap://h/fw/[redacted]'],
    ['JSON', json, '{"deviceName":"d","token":"[redacted]","list":[1]}'],
    ['JSON in JSON', JSON.stringify({ body: json }), /"list\\":\[1\]/],
    ['JSON in JSON in JSON', JSON.stringify(JSON.stringify({ body: json })), /deviceName/],
    [
      'JSON whose secret has quotes',
      JSON.stringify({ password: `a"b${SECRET}`, x: 1 }),
      '{"password":"[redacted]","x":1}',
    ],
    ['JSON whose secret is an array', `{"tokens":["a","${SECRET}"],"x":1}`, '{"tokens":[redacted],"x":1}'],
    ['JSON cut off', `{"x":1,"provisionDeviceSecret":"${SECRET}`, /"x":1,"provisionDeviceSecret":"\[redacted\]/],
    ['what Node prints', inspect({ a: 1, secretKey: SECRET }), "{ a: 1, secretKey: '[redacted]' }"],
    ['a token with odd characters', "GET /api/v1/s3cr3t-Value_91'x),;]y/rpc", 'GET /api/v1/[redacted]/rpc'],
    ['a parameter with odd characters', "'/ws?token=s3cr3t-Value_91'x),;]y'", "'/ws?token=[redacted]'"],
    ['a setting', `TANDEM_ADMIN_PASSWORD=${SECRET}`, 'TANDEM_ADMIN_PASSWORD=[redacted]'],
    ['basic credentials', `Authorization: Basic ${SECRET}`, 'Authorization: Basic [redacted]'],
    ['an API key', `x-authorization: ApiKey ${SECRET}`, 'x-authorization: ApiKey [redacted]'],
    [
      'a private key',
      `key -----BEGIN EC PRIVATE KEY-----\n${SECRET}\n-----END EC PRIVATE KEY----- read`,
      'key [redacted] read',
    ],
    [
      'a private key in JSON',
      `"-----BEGIN PRIVATE KEY-----\\n${SECRET}\\n-----END PRIVATE KEY-----\\n"`,
      '"[redacted]\\n"',
    ],
    ['a private key cut off', `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${SECRET}`, '[redacted]'],
    ['a certificate of a device', `-----BEGIN CERTIFICATE-----\n${SECRET}\n-----END CERTIFICATE-----`, '[redacted]'],
    ['the address of Redis', `redis://user:${SECRET}@h:6379 refuses`, 'redis://[redacted]@h:6379 refuses'],
    ['one with an odd password', `redis://:a/b@${SECRET}@h:6379 is no URL`, 'redis://[redacted]@h:6379 is no URL'],
    ['several', `redis://:${SECRET}@a:1,redis://:${SECRET}@b:2`, 'redis://[redacted]@a:1,redis://[redacted]@b:2'],
    ['the address of a webhook', `POST https://u:${SECRET}@h/p failed`, 'POST https://[redacted]@h/p failed'],
    ['its parameters', `https://h/p?x=1&sig=${SECRET}`, 'https://h/p?x=1&sig=[redacted]'],
    ['a JWT with five parts', `eyJa.b.c.d.${SECRET}`, '[redacted]'],
    [
      'what Redis does not know',
      `ERR unknown command 'X', with args beginning with: '${SECRET}'`,
      /'X', with args beginning with: /,
    ],
  ])('shows no secret in the text of %s, and what is around it', (_name, text, expected) => {
    const rest = redactText(text);
    expect(rest).not.toContain(SECRET);
    expect(rest).toContain('[redacted]');
    expect(rest).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected));
    expect(redactText(rest)).toBe(rest);
  });

  it('shows nothing of a body that is no JSON', () => {
    for (const body of ['s3cr3t', '{"a":"s3cr3t', '{"a" s3cr3t}', `s3cr3t${'x'.repeat(100)}`]) {
      let message = '';
      try {
        JSON.parse(body);
      } catch (error) {
        message = redactText(String(error));
      }
      expect(message).toContain('SyntaxError');
      expect(message).not.toContain('s3cr3t');
    }
  });

  it('goes through the logger without a secret, whatever it is', () => {
    let line = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        line += chunk;
        done();
      },
    });
    const logger = createLogger({
      format: format.json({ replacer: redact }),
      transports: [new transports.Stream({ stream })],
    });
    const circle: Record<string, unknown> = { token: SECRET, path: ['sw', SECRET] };
    circle.self = circle;
    logger.error(`GET /api/v1/${SECRET}/x`, { circle, big: 1n, error: new Error(`?token=${SECRET}`) });
    expect(JSON.parse(line)).toMatchObject({ level: 'error', message: 'GET /api/v1/[redacted]/x' });
    expect(line).not.toContain(SECRET);
  });

  it.each([
    ['names and ids', { deviceName: 'Pump 7', deviceId: '0b2c', key: 'temperature', pskIdentity: 'pump-7', value: 3 }],
    [
      'where secrets are',
      { passwordFile: '/run/secrets/admin', file: '/data/initial-admin-password', error: 'ENOENT /etc/x' },
    ],
    ['settings that are none', { message: 'the store has another number than TANDEM_TELEMETRY_PARTITIONS=8' }],
    ['keys', { query: '?keys=temperature,humidity&limit=1', keys: ['temperature', 'humidity'] }],
    ['addresses', { node: 'redis://h:6379', url: 'https://h/p?x=1', mail: 'a@example.org', peer: '[::1]:5683' }],
    ['percent signs', { message: '100% of 5%ab and caf%C3%A9' }],
    ['what a failure says', { error: 'Unexpected end of JSON input: the token is unknown, its secret wrong' }],
  ])('says %s', (_name, fields) => {
    expect(written(fields)).toEqual(fields);
  });

  it.each([
    ['a'.repeat(200_000)],
    ['\\'.repeat(200_000)],
    ['"'.repeat(200_000)],
    ['eyJ-'.repeat(50_000)],
    ['token'.repeat(40_000)],
    ['token:"'.repeat(30_000)],
    ['"token":['.repeat(20_000)],
    ['redis://'.repeat(25_000)],
    ['-----BEGIN PRIVATE KEY-----'.repeat(8_000)],
    ['Unexpected token x, '.repeat(10_000)],
    ['%25'.repeat(60_000)],
    ['api/v1/'.repeat(30_000)],
    ['Bearer '.repeat(30_000)],
    ['authorization: '.repeat(15_000)],
    [`${'a.'.repeat(100_000)}%41`],
  ])('is there in time, whatever strangers make it of (%#)', (text) => {
    const began = performance.now();
    redactText(text);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('is otherwise what was said', () => {
    const fields = { deviceId: 'd1', count: 3, list: ['a', 'b'], path: '/api/device/7', nothing: null };
    expect(written(fields)).toEqual(fields);
  });
});
