import { type DeviceCommandOptions, runDevices } from './device-command';
import { DEFAULT_TELEMETRY } from './telemetry-template';

const DEFAULTS: DeviceCommandOptions = {
  interval: '5s',
  telemetry: DEFAULT_TELEMETRY,
  listen: true,
  token: 'some-token',
};

describe('tandem device', () => {
  it.each<[string, Partial<DeviceCommandOptions>, RegExp]>([
    ['ftp://localhost', {}, /^"ftp:\/\/localhost" is no address of a gateway/],
    [
      'http://localhost:8080/api',
      {},
      /^Give the address of the gateway without a path: http:\/\/localhost:8080, not http/,
    ],
    ['http://localhost/proxied/api/v1/', {}, /^Give the address of the gateway without a path/],
    ['coap://localhost/api/v1', {}, /^Give the address of the gateway without a path: coap:\/\/localhost, not coap/],
    ['coaps://localhost', {}, /^CoAP over DTLS is not spoken here; coap-client does/],
    ['http://localhost', { token: undefined }, /^Give one of --token, --token-file, and --provision-key/],
    ['http://localhost', { provisionKey: 'key' }, /^Give one of --token/],
    ['http://localhost', { token: undefined, provisionKey: 'key' }, /^--provision-key needs --provision-secret/],
    ['http://localhost', { count: '2' }, /^One token is one device/],
    ['http://localhost', { count: 'two' }, /^--count must be a whole number from 1 on, not "two"/],
    ['http://localhost', { interval: 'soon' }, /^"soon" is no length of time/],
    ['http://localhost', { telemetry: 'hot' }, /^The telemetry is no JSON/],
    ['http://localhost', { answer: '{' }, /^The answer is no JSON/],
    ['coap://localhost', { answer: '[1]' }, /^Over CoAP the answer to a command must be a JSON object/],
    ['coap://no.such.host.invalid', {}, /^coap:\/\/no\.such\.host\.invalid is not known/],
  ])('says before anything is sent what is wrong with %s %j', async (url, options, reason) => {
    const print = (line: string) => expect(line).toBe('nothing');
    const outcome = runDevices(url, { ...DEFAULTS, ...options }, print, new AbortController());
    await expect(outcome).rejects.toThrow(reason);
  });
});
