import { randomBytes } from 'node:crypto';
import { TandemError } from '../errors';
import { readProvision } from './provision-payload';

const read = (bytes: Buffer | string) => readProvision(Buffer.from(bytes), 'either');
const NOTHING = {
  deviceName: '',
  key: '',
  secret: '',
  credentialsType: 'ACCESS_TOKEN',
  token: '',
  clientId: '',
  userName: '',
  password: '',
  hash: '',
  gateway: false,
};
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('A provisioning request', () => {
  it('in JSON says all it says by name', () => {
    const json = {
      deviceName: ' n ',
      provisionDeviceKey: 'k',
      provisionDeviceSecret: 's',
      credentialsType: 'MQTT_BASIC',
      token: 't',
      clientId: 'c',
      username: 'u',
      password: 'p',
      hash: 'h',
      gateway: true,
      userName: 'of the answer alone',
      other: null,
    };
    expect(read(JSON.stringify(json)).request).toEqual({
      deviceName: ' n ',
      key: 'k',
      secret: 's',
      credentialsType: 'MQTT_BASIC',
      token: 't',
      clientId: 'c',
      userName: 'u',
      password: 'p',
      hash: 'h',
      gateway: true,
    });
  });

  it.each(['true', '"true"', '"TRUE"', 'TRUE'])('is one of a gateway with %s', (gateway) => {
    const text = `{"provisionDeviceKey":"k","provisionDeviceSecret":"s","gateway":${gateway}}`;
    expect(read(text).request.gateway).toBe(true);
  });

  it.each(['""', '"yes"', '1', 'null', '{}', '[true]'])(
    'that says %s of whether it is a gateway is malformed',
    (gateway) => {
      const text = `{"provisionDeviceKey":"k","provisionDeviceSecret":"s","gateway":${gateway}}`;
      expect(() => readProvision(Buffer.from(text), 'json')).toThrow('`gateway` is not a boolean');
    },
  );

  it.each([
    ['no field', '', NOTHING],
    ['a name, a key and a secret', '0a0164 1a06 0a016b 120173', { ...NOTHING, deviceName: 'd', key: 'k', secret: 's' }],
    ['a type', '1003', { ...NOTHING, credentialsType: 'LWM2M_CREDENTIALS' }],
    ['a certificate', '1001 2205 12030a0168', { ...NOTHING, credentialsType: 'X509_CERTIFICATE', hash: 'h' }],
    [
      'MQTT',
      '1002 220b 1a09 0a0163 120175 1a0170',
      { ...NOTHING, credentialsType: 'MQTT_BASIC', clientId: 'c', userName: 'u', password: 'p' },
    ],
    ['a gateway', '2801', { ...NOTHING, gateway: true }],
    ['a field that nobody knows', '0a0164 3a0178 4001 4d00000000', { ...NOTHING, deviceName: 'd' }],
    ['a field twice', '0a0164 0a0165', { ...NOTHING, deviceName: 'e' }],
  ])('in protobuf may hold %s', (_what, bytes, request) => {
    expect(read(Buffer.concat([hex(bytes), hex('5200')])).request).toEqual(request);
  });

  it('with fields without end is refused', () => {
    expect(() => read(Buffer.alloc(202, hex('1a00')))).toThrow(TandemError);
    expect(read(Buffer.alloc(200, hex('1a00'))).request).toEqual(NOTHING);
  });

  it('that is neither is refused, whatever it is, in no time', () => {
    const hostile = [
      Buffer.alloc(65_536, 0x0b),
      Buffer.alloc(65_536, 0x0a),
      Buffer.alloc(65_536, Buffer.from([0x1a, 0])),
      Buffer.alloc(65_536, 0xff),
      Buffer.alloc(65_536, '['),
      Buffer.alloc(65_536, '{"a":'),
      ...Array.from({ length: 2_000 }, (_, n) => randomBytes(n % 80)),
    ];
    const began = process.cpuUsage().user;
    for (const bytes of hostile) {
      try {
        read(bytes);
      } catch (error) {
        expect((error as TandemError).code).toBe('BAD_PAYLOAD');
      }
    }
    expect(process.cpuUsage().user - began).toBeLessThan(5_000_000);
  });
});
