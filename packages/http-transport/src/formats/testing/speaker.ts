import { type ClientRpcBackend, type PayloadCodec, trustedValue } from '@tandem/core';
import { type Answer, type TestDevice, TestGateway } from '../../testing/test-gateway';

const backend: ClientRpcBackend = {
  call: ({ method, params }) => Promise.resolve(`{"method":"${method}","params":${params}}`),
};

/** `key=value` lines; what it says of its troubles is a secret. */
const lines: PayloadCodec = {
  name: 'lines',
  mediaTypes: ['text/x-lines', 'text/x-lines-too'],
  contentFormat: undefined,
  kinds: ['telemetry', 'attributes', 'command', 'reply'],
  decode(bytes) {
    const members = bytes
      .toString()
      .split('\n')
      .map((line) => {
        const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
        if (key === undefined) throw new Error('/etc/secret is not readable');
        return `"${key}":${value}`;
      });
    return `{${members.join(',')}}`;
  },
  encode(json, { kind }) {
    if (json.includes('unspeakable')) throw new Error('no word for it');
    return Buffer.from(`${kind} ${json}`);
  },
};

/** All that JSON says, but for one word. */
const mute: PayloadCodec = {
  name: 'mute',
  mediaTypes: ['text/x-mute'],
  contentFormat: undefined,
  decode: (bytes) => bytes.toString(),
  encode(json) {
    if (json.includes('unspeakable')) throw new Error('no word for it');
    return Buffer.from(json);
  },
};

export const CBOR = 'application/cbor';
export const hex = (text: string) => Buffer.from(text, 'hex');

/** A gateway that knows two more formats, and in each test another device, which names the formats it speaks. */
class Speaker {
  #gateway: TestGateway | undefined;
  #device: TestDevice | undefined;
  readonly #callers = new AbortController();

  get gateway(): TestGateway {
    if (!this.#gateway) throw new Error('the gateway is there only within a test');
    return this.#gateway;
  }

  get device(): TestDevice {
    if (!this.#device) throw new Error('the device is there only within a test');
    return this.#device;
  }

  async start(): Promise<void> {
    this.#gateway = await TestGateway.start({
      backend,
      codecs: [lines, mute],
      settings: { TANDEM_FORMAT_MAX_BYTES: '4096', TANDEM_MESSAGE_MAX_BYTES: '20000' },
    });
  }

  async another(): Promise<void> {
    this.#device = await this.gateway.device();
  }

  stop(): Promise<void> {
    this.#callers.abort();
    return this.gateway.stop();
  }

  readonly post = (
    path: string,
    type: string | undefined,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ) =>
    this.gateway.send('POST', `/${this.device.token}${path}`, {
      body,
      headers: { ...(type === undefined ? {} : { 'Content-Type': type }), ...headers },
    });

  readonly get = (path: string, accept?: string): Promise<Answer> =>
    this.gateway.send('GET', `/${this.device.token}${path}`, {
      headers: accept === undefined ? {} : { Accept: accept },
    });

  readonly stored = async () =>
    Object.fromEntries(Object.entries(await this.gateway.stored(this.device)).map(([key, { value }]) => [key, value]));

  readonly share = (key: string, value: string) =>
    this.gateway.core.attributes.saveFromServer(this.device.id, 'SHARED', [{ key, value: trustedValue(value) }]);

  /** Of the server, two-way; given up with the gateway. */
  readonly command = (method: string, params: string) =>
    this.gateway.core.rpcCalls.send(
      { tenantId: this.gateway.tenantId, deviceId: this.device.id, oneway: false, method, params },
      this.#callers.signal,
    );
}

export function useSpeaker(): Speaker {
  const speaker = new Speaker();
  beforeAll(() => speaker.start());
  afterAll(() => speaker.stop());
  beforeEach(() => speaker.another());
  return speaker;
}
