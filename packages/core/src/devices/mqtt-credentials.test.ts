import { createHash } from 'node:crypto';
import { mqttCredentials } from './mqtt-credentials';

const sha3 = (text: string) => createHash('sha3-256').update(text).digest('hex');

describe('Credentials for MQTT', () => {
  it.each([
    ['{"userName":"u"}', 'u', { clientId: null, userName: 'u', password: null }],
    ['{"userName":"u","password":"p"}', 'u', { clientId: null, userName: 'u', password: 'p' }],
    ['{"clientId":"","userName":"u","password":""}', 'u', { clientId: '', userName: 'u', password: '' }],
    ['{"clientId":"c"}', sha3('c'), { clientId: 'c', userName: null, password: null }],
    ['{"clientId":"c","userName":""}', sha3('c'), { clientId: 'c', userName: '', password: null }],
    ['{"clientId":"c","userName":"u"}', sha3('c|u'), { clientId: 'c', userName: 'u', password: null }],
    [
      '{"password":"p","clientId":"c","userName":"u","more":1}',
      sha3('c|u'),
      { clientId: 'c', userName: 'u', password: 'p' },
    ],
  ])('of %s are found by %s', (json, credentialsId, login) => {
    expect(mqttCredentials(json)).toEqual({ credentialsId, credentialsValue: JSON.stringify(login) });
  });

  it.each([
    ['nothing', '', 'Invalid credentials body for simple mqtt credentials!'],
    ['no JSON', 'hush', 'Invalid credentials body'],
    ['a list', '["hush"]', 'Invalid credentials body'],
    ['null', 'null', 'Invalid credentials body'],
    ['no name', '{}', 'Both mqtt client id and user name are empty!'],
    ['a password alone', '{"password":"hush"}', 'Both mqtt client id and user name are empty!'],
    ['empty names', '{"clientId":"","userName":"","password":"hush"}', 'Both mqtt client id and user name are empty!'],
    [
      'a client id and a password',
      '{"clientId":"c","password":"hush"}',
      'Password cannot be specified along with client id',
    ],
    ['a number', '{"userName":12}', 'userName of mqtt credentials must be a text'],
    [
      'a text without end',
      `{"password":"${'hush'.repeat(1_025)}"}`,
      'password of mqtt credentials is longer than 4096',
    ],
    ['half a character', '{"clientId":"\\ud800"}', 'clientId of mqtt credentials must be well-formed'],
  ])('are refused with %s, which is not repeated', (_what, json, message) => {
    expect(() => mqttCredentials(json)).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message: expect.stringContaining(message) }),
    );
    expect(() => mqttCredentials(json)).not.toThrow(/hush/);
  });
});
