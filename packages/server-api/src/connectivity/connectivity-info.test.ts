import { execFileSync } from 'node:child_process';
import { readSettings } from '@tandem/core';
import { aDevice, aProfile, credentialsOf } from '@tandem/core/testing';
import { connectivityInfo } from './connectivity-info';
import { deviceDoors } from './device-doors';
import { segment, shellBytes, shellWord } from './shell';

const doors = (settings: Record<string, string>, origin = 'http://gateway.example:8080') =>
  deviceDoors(readSettings(settings), origin);

describe('Where devices are told to connect to', () => {
  it('is where the server API was called, and at the ports of the other doors', () => {
    expect(doors({})).toEqual({ http: 'http://gateway.example:8080', coap: 'coap://gateway.example:5683' });
    const all = { COAP_DTLS_ENABLED: 'true', COAP_DTLS_BIND_PORT: '15684' };
    expect(doors(all)).toMatchObject({ coaps: 'coaps://gateway.example:15684' });
  });

  it('is the door that was called also where a proxy speaks TLS before it', () => {
    expect(doors({}, 'https://gateway.example')).toMatchObject({ https: 'https://gateway.example', http: undefined });
  });

  it('is HTTPS where that is served', () => {
    const settings = { SSL_ENABLED: 'true' };
    expect(doors(settings, 'https://gateway.example:8443').https).toBe('https://gateway.example:8443');
    expect(doors({ ...settings, TANDEM_ROLES: 'api', REDIS_URL: 'redis://r' }, 'https://g').https).toBe(
      'https://g:8080',
    );
  });

  it('is what the settings say', () => {
    const settings = {
      DEVICE_CONNECTIVITY_HTTP_HOST: 'devices.example',
      DEVICE_CONNECTIVITY_HTTP_PORT: '80',
      DEVICE_CONNECTIVITY_COAP_HOST: '2001:db8::1',
      DEVICE_CONNECTIVITY_COAP_PORT: '6683',
      DEVICE_CONNECTIVITY_COAPS_ENABLED: 'true',
      DEVICE_CONNECTIVITY_HTTPS_ENABLED: 'true',
      DEVICE_CONNECTIVITY_HTTPS_PORT: '443',
    };
    expect(doors(settings)).toEqual({
      http: 'http://devices.example',
      https: 'https://gateway.example',
      coap: 'coap://[2001:db8::1]:6683',
      coaps: 'coaps://gateway.example:5684',
    });
    expect(doors({ DEVICE_CONNECTIVITY_HTTP_ENABLED: 'false', DEVICE_CONNECTIVITY_COAP_ENABLED: 'false' })).toEqual({});
  });

  it('is not told where the system chooses the port', () => {
    expect(doors({ COAP_BIND_PORT: '0' }).coap).toBeUndefined();
  });

  it.each(['a b', 'x;reboot', '$(reboot)', "'", 'http://x', '-x'])(
    'is refused as a setting where it is no host: %s',
    (host) => {
      expect(() => readSettings({ DEVICE_CONNECTIVITY_COAP_HOST: host })).toThrow(/DEVICE_CONNECTIVITY_COAP_HOST/);
    },
  );
});

describe('Lines for a device', () => {
  const flags = readSettings({});
  const told = { http: 'http://h', coap: 'coap://h:5683' };
  const protocols = (profile: Parameters<typeof aProfile>[0]) => {
    const whole = aProfile(profile);
    const credentials = credentialsOf(aDevice(whole));
    const { lines } = connectivityInfo(credentials, whole, told, flags);
    return [...new Set(lines.map(({ protocol }) => protocol))];
  };

  it('are for the doors that its profile lets it in at, in JSON', () => {
    expect(protocols({ transportType: 'DEFAULT' })).toEqual(['http', 'coap']);
    expect(protocols({ transportType: 'COAP' })).toEqual(['http', 'coap']);
    expect(protocols({ transportType: 'COAP', payloadType: 'PROTOBUF' })).toEqual(['http']);
    expect(protocols({ transportType: 'COAP', coapDeviceType: 'EFENTO' })).toEqual(['http']);
    expect(protocols({ transportType: 'MQTT' })).toEqual(['http']);
  });

  it('hold nothing that a shell takes for anything else, also where the host was made up', () => {
    const profile = aProfile();
    const credentials = { ...credentialsOf(aDevice(profile)), credentialsId: "t';reboot;'" };
    const { lines } = connectivityInfo(credentials, profile, doors({}, "http://a';reboot;$(reboot)"), flags);
    for (const { command, protocol } of lines) {
      const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' }).split('\n');
      const url = words.find((word) => word.startsWith(`${protocol}:`));
      expect(url).toMatch(/^\w+:\/\/a';reboot;\$\(reboot\)(:5683)?\/api\/v1\/t%27%3Breboot%3B%27\//);
    }
  });

  it('are none where no door is told of, and say so', () => {
    const profile = aProfile();
    const info = connectivityInfo(credentialsOf(aDevice(profile)), profile, {}, flags);
    expect(info).toEqual({ lines: [], reason: expect.stringMatching(/No door/) });
  });
});

describe('Words of a shell', () => {
  it('stay as they are, or are quoted', () => {
    expect(['http://h:1/a', 'a b', "it's", '', '?x=1&y'].map(shellWord)).toEqual([
      'http://h:1/a',
      "'a b'",
      "'it'\\''s'",
      "''",
      "'?x=1&y'",
    ]);
  });

  it('are made of bytes, but for a zero and a new line at the end', () => {
    expect(shellBytes(Buffer.from([0x27, 0x0a, 0xff]))).toBe(`"$(printf '\\047\\012\\377')"`);
    expect(shellBytes(Buffer.from([1, 0, 1]))).toBeUndefined();
    expect(shellBytes(Buffer.from([1, 10]))).toBeUndefined();
  });

  it('are one segment of a path', () => {
    expect(segment("a/b'(c)*!%")).toBe('a%2Fb%27%28c%29%2A%21%25');
  });
});
