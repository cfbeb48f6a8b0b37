import { entriesOf } from '@tandem/core/testing';
import { ServerUnderTest } from '../../testing/server-under-test';
import { WebSocketClient } from '../../testing/web-socket-client';

export const TELEMETRY = '/api/ws/plugins/telemetry';
export const TELEMETRY_WITH_KEY = `${TELEMETRY}?token=KEY`;

/** A server whose devices are watched. Clients are closed with the test that opened them. */
class Watchers {
  token = '';
  readonly #open: WebSocketClient[] = [];
  #server: ServerUnderTest | undefined;
  #devices = 0;

  get server(): ServerUnderTest {
    if (!this.#server) throw new Error('the server is there only within a test');
    return this.#server;
  }

  async start(): Promise<void> {
    // Time stands still, and then jumps.
    this.#server = await ServerUnderTest.start({ TB_SERVER_WS_PING_TIMEOUT: '100000000' });
    await this.logIn();
  }

  async logIn(): Promise<void> {
    ({ token: this.token } = await this.server.login());
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((client) => client.close()));
  }

  readonly connect = async (target = `${TELEMETRY}?token=${this.token}`): Promise<WebSocketClient> => {
    const client = await WebSocketClient.open(this.server.port, target);
    this.#open.push(client);
    return client;
  };

  /** A new one. */
  readonly device = (): Promise<string> => this.server.createDevice(this.token, `watched-${++this.#devices}`);

  readonly post = async (id: string, payload: string): Promise<void> => {
    await this.server.core.telemetry.post(await this.server.session(id), Buffer.from(payload));
  };

  readonly save = (id: string, scope: 'SHARED' | 'SERVER', values: Record<string, string>) =>
    this.server.core.attributes.saveFromServer(id, scope, entriesOf(values));
}

export function useWatchers(): Watchers {
  const watchers = new Watchers();
  beforeAll(() => watchers.start());
  afterEach(() => watchers.closeAll());
  afterAll(() => watchers.server.stop());
  return watchers;
}

export const sub = (entityId: string, more: object = {}) => ({ cmdId: 1, entityType: 'DEVICE', entityId, ...more });
export const latest = (entityId: string, more: object = {}) => ({
  tsSubCmds: [sub(entityId, { scope: 'LATEST_TELEMETRY', ...more })],
});
export const attributes = (entityId: string, more: object = {}) => ({ attrSubCmds: [sub(entityId, more)] });
export const error = (errorCode: number, errorMsg: string, subscriptionId = 1) => ({
  ...{ subscriptionId, errorCode, errorMsg },
  ...{ data: null, latestValues: {} },
});
