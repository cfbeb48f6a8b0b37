import { setImmediate } from 'node:timers/promises';
import type {
  Core,
  DeviceProfile,
  DeviceSession,
  LabelsOf,
  MetricName,
  Rpc,
  RpcOutcome,
  RpcStatus,
} from '@tandem/core';
import { aProfile, entriesOf } from '@tandem/core/testing';
import { type OpenCore, type OpenCoreOptions, openCore } from '@tandem/state-embedded/testing';
import { createCoapTransport } from '../coap-transport';
import type { CoapTransport } from '../serve';
import { RawClient } from './raw-client';

export interface TestDevice {
  readonly token: string;
  readonly id: string;
}

export type TestGatewayOptions = Omit<OpenCoreOptions, 'materialise'>;

export interface Command {
  readonly oneway?: boolean;
  readonly persistent?: boolean;
  readonly retries?: number;
  readonly method?: string;
  readonly params?: string;
  readonly timeout?: number;
  readonly expirationTime?: number;
}

export interface SentCommand {
  /** The RPC's id in the store. */
  readonly id: string;
  readonly requestId: number;
  readonly outcome: Promise<RpcOutcome>;
}

const PATIENCE = 10_000;

/** CoAP on a free port over the real embedded store. */
export class TestGateway {
  readonly core: Core;
  readonly tenantId: string;
  /** Everything that was logged, a text for each. */
  readonly log: readonly string[];
  readonly #clients: RawClient[] = [];
  readonly #callers: AbortController[] = [];
  #devices = 0;

  private constructor(
    private readonly opened: OpenCore,
    readonly transport: CoapTransport,
  ) {
    this.core = opened.core;
    this.tenantId = opened.tenantId;
    this.log = opened.log;
  }

  static async start(options: TestGatewayOptions = {}): Promise<TestGateway> {
    const settings = { COAP_BIND_ADDRESS: '127.0.0.1', COAP_BIND_PORT: '0', ...options.settings };
    const opened = await openCore({ ...options, settings });
    const transport = await createCoapTransport(opened.core).catch(async (error) => {
      await opened.close();
      throw error;
    });
    return new TestGateway(opened, transport);
  }

  async stop(): Promise<void> {
    for (const caller of this.#callers.splice(0)) caller.abort();
    await this.transport.close();
    for (const client of this.#clients) client.close();
    await this.opened.close();
  }

  /** A new peer: an address and port of its own. */
  async client(): Promise<RawClient> {
    const client = await RawClient.open(this.transport.port);
    this.#clients.push(client);
    return client;
  }

  async device(profile?: DeviceProfile): Promise<TestDevice> {
    const token = `token${++this.#devices}`;
    const { id } = await this.core.devices.create(
      this.tenantId,
      { name: `device of ${token}`, deviceProfileId: profile?.id },
      { credentialsId: token },
    );
    return { token, id };
  }

  async profile(given: Partial<DeviceProfile>): Promise<DeviceProfile> {
    const made = await this.core.state.devices.createProfile(aProfile({ tenantId: this.tenantId, ...given }));
    if (!made.ok) throw new Error(`the profile was refused: ${made.conflict}`);
    return made.value;
  }

  session({ token }: TestDevice): Promise<DeviceSession> {
    return this.core.auth.resolve(token);
  }

  remove({ id }: TestDevice): Promise<void> {
    return this.core.devices.delete(this.tenantId, id);
  }

  async changeToken({ id }: TestDevice, credentialsId: string): Promise<void> {
    await this.core.devices.updateCredentials(this.tenantId, id, { credentialsType: 'ACCESS_TOKEN', credentialsId });
  }

  /** @param values `{key: canonical value text}` */
  share({ id }: TestDevice, values: Readonly<Record<string, string>>): Promise<void> {
    return this.core.attributes.saveFromServer(id, 'SHARED', entriesOf(values));
  }

  async unshare({ id }: TestDevice, ...keys: string[]): Promise<void> {
    await this.core.attributes.delete(id, 'SHARED', keys);
  }

  /** Resolves when the command is in the store; what becomes of it is in `outcome`. */
  async command({ id: deviceId }: TestDevice, command: Command = {}): Promise<SentCommand> {
    const id = this.core.random.uuid();
    const caller = new AbortController();
    this.#callers.push(caller);
    const outcome = this.core.rpcCalls.send(
      {
        tenantId: this.tenantId,
        deviceId,
        oneway: false,
        method: 'm',
        params: '{}',
        timeout: 20_000,
        requestUuid: id,
        ...command,
      },
      caller.signal,
    );
    const rpc = await until(() => this.rpc(id));
    return { id, requestId: rpc.requestId, outcome };
  }

  rpc(id: string): Promise<Rpc | undefined> {
    return this.core.state.rpcs.get(id);
  }

  /** Resolves when the command is in this state. */
  async becomes({ id }: SentCommand, status: RpcStatus): Promise<void> {
    let seen: string | undefined;
    await until(
      async () => {
        seen = (await this.rpc(id))?.status;
        return seen === status || undefined;
      },
      () => `the command is ${seen}, not ${status}`,
    );
  }

  /** The reading of a metric, of all its samples with these labels. */
  gauge<N extends MetricName>(name: N, labels?: Partial<LabelsOf<N>>): number {
    return this.core.metrics.value(name, labels) ?? Number.NaN;
  }

  /** Listeners for the end of a session that `core.auth` holds. */
  get sessionEndListeners(): number {
    return this.core.auth.waiting;
  }

  get observations(): number {
    return this.gauge('tandem_coap_observations');
  }

  /** Latest values. */
  async stored({ id }: TestDevice): Promise<Record<string, { readonly ts: number; readonly value: string }>> {
    await this.core.state.materialiser.caughtUp();
    return Object.fromEntries(await this.core.timeSeries.latest(id));
  }

  async clientAttributes({ id }: TestDevice): Promise<Record<string, string>> {
    const attributes = await this.core.attributes.read(id, 'CLIENT');
    return Object.fromEntries(attributes.map(({ key, value }) => [key, value]));
  }
}

/** Resolves with what `look` finds, as soon as it finds something other than undefined or false. */
export async function until<T>(
  look: () => T | Promise<T>,
  complaint: () => string = () => 'it did not come about',
): Promise<Exclude<T, undefined | false>> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (Date.now() > deadline) throw new Error(complaint());
    await setImmediate();
  }
}
