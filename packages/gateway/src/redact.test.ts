import { redact, redactText } from './redact';

const written = (fields: unknown): unknown => JSON.parse(JSON.stringify(fields, redact));

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

  it('is otherwise what was said', () => {
    const fields = { deviceId: 'd1', count: 3, list: ['a', 'b'], path: '/api/device/7', nothing: null };
    expect(written(fields)).toEqual(fields);
  });
});
