import { nearest, readSettings, SettingsError } from './read-settings';
import type { Setting } from './setting';
import { SETTINGS } from './settings';

function problems(environment: Record<string, string>, file: Record<string, string> = {}): readonly string[] {
  try {
    readSettings(environment, file);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

describe('Settings', () => {
  it('that are not set, or set to nothing, have their defaults', () => {
    const settings = readSettings({ HTTP_BIND_PORT: '', COAP_TIMEOUT: '' });
    expect(settings).toMatchObject({
      HTTP_BIND_PORT: 8080,
      COAP_TIMEOUT: 10_000,
      TANDEM_ROLES: ['http', 'coap', 'api'],
      TANDEM_DEMO: false,
      TANDEM_ADMIN_PASSWORD: undefined,
    });
    expect(Object.keys(settings)).toEqual(Object.keys(SETTINGS));
  });

  it('of the environment win over those of the file, unless they are empty', () => {
    const file = { HTTP_BIND_PORT: '1', COAP_BIND_PORT: '2' };
    expect(readSettings({ HTTP_BIND_PORT: '3', COAP_BIND_PORT: '' }, file)).toMatchObject({
      HTTP_BIND_PORT: 3,
      COAP_BIND_PORT: 2,
    });
  });

  it('of other programs are left alone in the environment, and refused in the file', () => {
    expect(problems({ PATH: '/bin', HTTP_PROXY: 'x', tandem_x: 'y' })).toEqual([]);
    expect(problems({}, { HTTP_PROXY: 'x' })).toEqual([
      expect.stringMatching(/^HTTP_PROXY is not a setting; the nearest is \w+$/),
    ]);
  });

  it('that are malformed are all named at once, with what was given', () => {
    expect(
      problems({
        HTTP_BIND_PORT: '65536',
        COAP_BIND_PORT: '-1',
        TANDEM_METRICS_PORT: '0x10',
        COAP_TIMEOUT: '0',
        COAP_ENABLED: 'TRUE',
        TANDEM_DURABILITY: 'never',
        TANDEM_ROLES: 'http,mqtt',
        TANDEM_EVENT_LOG_MAX: '1.5',
      }),
    ).toEqual([
      'TANDEM_ROLES must be a comma list of http, coap, coaps, api, not "http,mqtt"',
      'TANDEM_METRICS_PORT must be a whole number from 0 to 65535, not "0x10"',
      'HTTP_BIND_PORT must be a whole number from 0 to 65535, not "65536"',
      'COAP_ENABLED must be true or false, not "TRUE"',
      'COAP_BIND_PORT must be a whole number from 0 to 65535, not "-1"',
      'COAP_TIMEOUT must be a whole number from 1 to 2147483647, not "0"',
      'TANDEM_DURABILITY must be one of process, power, not "never"',
      'TANDEM_EVENT_LOG_MAX must be a whole number from 1 to 9007199254740991, not "1.5"',
    ]);
  });

  it('that got another name are refused with the new one', () => {
    expect(problems({ TANDEM_REDIS_HISTORY_MAX: '5' })).toEqual([
      'TANDEM_REDIS_HISTORY_MAX is called TANDEM_HISTORY_MAX now',
    ]);
    expect(readSettings({}).TANDEM_HISTORY_MAX).toBeUndefined();
    expect(readSettings({ TANDEM_HISTORY_MAX: '5' }).TANDEM_HISTORY_MAX).toBe(5);
    expect(problems({ TANDEM_HISTORY_MAX: '0' })).toEqual([
      'TANDEM_HISTORY_MAX must be a whole number from 1 to 9007199254740991, not "0"',
    ]);
  });

  it('that are secret are never repeated', () => {
    expect(problems({ TANDEM_RPC_WEBHOOK_URL: 'user:hunter2' })).toEqual([
      'TANDEM_RPC_WEBHOOK_URL must be an http or https URL',
    ]);
  });

  it('give Redis a password beside its address, unless that has one', () => {
    const password = (REDIS_URL: string) => readSettings({ REDIS_URL, REDIS_PASSWORD: 'a%b@c' }).REDIS_URL?.password;
    expect(password('redis://redis,other:7000')).toBe('a%b@c');
    expect(password('redis://me:own@redis')).toBe('own');
    expect(readSettings({ REDIS_PASSWORD: 'a%b@c' }).REDIS_URL).toBeUndefined();
  });

  it('that are planned are refused, since this version has nothing behind them, but may say what holds anyway', () => {
    const planned = Object.entries<Setting<unknown>>(SETTINGS).filter(([, setting]) => setting.planned);
    for (const [name, { default: fallback }] of planned) {
      const other = { false: 'true', true: 'false' }[fallback] ?? `${fallback}1`;
      expect(problems({ [name]: other })).toContain(`${name} is not available in this version`);
      expect(problems({ [name]: fallback })).toEqual([]);
    }
  });

  it('need HTTPS where devices are to be known by certificates over HTTP', () => {
    const asked = { TANDEM_SSL_CLIENT_CERTIFICATES: 'true' };
    expect(problems(asked)).toEqual(['TANDEM_SSL_CLIENT_CERTIFICATES needs HTTPS: set SSL_ENABLED to true']);
    expect(problems({ ...asked, SSL_ENABLED: 'true' })).toEqual([]);
  });

  it('give each door a port of its own', () => {
    const told = ['HTTP_BIND_PORT and TANDEM_METRICS_PORT must not be one port, not both "9090"'];
    expect(problems({ HTTP_BIND_PORT: '9090' })).toEqual(told);
    const [one, other] = ['127.0.0.1', '127.0.0.2'];
    expect(problems({ HTTP_BIND_PORT: '9090', HTTP_BIND_ADDRESS: one, TANDEM_METRICS_ADDRESS: other })).toEqual([]);
    expect(problems({ HTTP_BIND_PORT: '0', TANDEM_METRICS_PORT: '0' })).toEqual([]);
    expect(problems({ HTTP_BIND_PORT: '5683' })).toEqual([]);
    const coap = { COAP_BIND_PORT: '5684', COAP_DTLS_BIND_PORT: '5684' };
    expect(problems(coap)).toEqual([]);
    expect(problems({ ...coap, COAP_DTLS_ENABLED: 'true' })).toEqual([
      'COAP_BIND_PORT and COAP_DTLS_BIND_PORT must not be one port, not both "5684"',
    ]);
  });

  it('name networks of proxies by addresses', () => {
    expect(problems({ TANDEM_TRUSTED_PROXIES: '10.0.0.0/8, proxy' })).toEqual([
      'TANDEM_TRUSTED_PROXIES must be a comma list of IP addresses and networks, not "10.0.0.0/8, proxy"',
    ]);
    expect(readSettings({ TANDEM_TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).TANDEM_TRUSTED_PROXIES).toHaveLength(2);
  });

  it('must give one process the role `api`, which reads what devices send', () => {
    expect(problems({ TANDEM_ROLES: 'coap' })).toEqual([expect.stringMatching(/^TANDEM_ROLES must name api: /)]);
    expect(readSettings({ TANDEM_ROLES: ' api , http' }).TANDEM_ROLES).toEqual(['http', 'api']);
  });
});

describe('The nearest name', () => {
  it.each([
    ['TANDEM_DATADIR', 'TANDEM_DATA_DIR'],
    ['TANDEM_LOGLEVEL', 'TANDEM_LOG_LEVEL'],
    ['TANDEM_ROLE', 'TANDEM_ROLES'],
    ['HTTP_PORT', 'HTTP_BIND_PORT'],
  ])('of %s is %s', (misspelt, meant) => {
    expect(nearest(misspelt)).toBe(meant);
  });
});
