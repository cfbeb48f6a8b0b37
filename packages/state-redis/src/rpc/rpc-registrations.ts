import type { EpochMillis, Millis, Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const REGISTER = loadScript('rpc-register');
const UNREGISTER = loadScript('rpc-unregister');
const LAPSED = loadScript('rpc-lapsed');

/** Longer than any call of a process that is still alive may be on its way. */
const ABANDONED: Millis = 60_000;
/** About how many registrations a scan looks at together. */
const SCANNED = 500;

/** Where a command is, as its creation noted it before it made the command. */
export interface Registration {
  readonly deviceId: Uuid;
  /** The call that registered it. */
  readonly call: string;
}

export interface FoundRegistration {
  readonly id: Uuid;
  /** Undefined where only the time is noted. */
  readonly registration: Registration | undefined;
}

/**
 * Which device each command is of, and when it lapses: what has to be found without knowing the device, in a slot of its
 * own. A registration is there before its command and goes after it, so a process that dies in between leaves one without a
 * command; `clear` takes that away.
 */
export class RpcRegistrations {
  readonly #devices: string;
  readonly #expiry: string;

  constructor(
    private readonly commands: Commands,
    keys: Keys,
  ) {
    this.#devices = keys.rpcs('devices');
    this.#expiry = keys.rpcs('expiry');
  }

  async find(id: Uuid): Promise<Registration | undefined> {
    const { client } = this.commands;
    return parse(await this.commands.during(() => client.hget(this.#devices, id)));
  }

  /** @returns what is registered instead; undefined when this call has the id */
  async register(
    id: Uuid,
    { deviceId, call }: Registration,
    expirationTime: EpochMillis,
    mode: 'new' | 'always',
  ): Promise<Registration | undefined> {
    const args = [id, deviceId, call, expirationTime, mode];
    return parse(await this.commands.write<string | null>(REGISTER, [this.#devices, this.#expiry], args));
  }

  /** What this call has registered and no other since. */
  async unregister(id: Uuid, call: string): Promise<void> {
    await this.#unregister(id, call, 0);
  }

  /** Forgets a registration whose command is not there, unless it is so young that the command may be on its way. */
  clear(id: Uuid, registration: Registration | undefined): Promise<boolean> {
    return this.#unregister(id, registration?.call ?? '', ABANDONED);
  }

  /** Registered commands that lapse before the time, earliest first. */
  async lapsed(before: EpochMillis, offset: number, limit: number): Promise<FoundRegistration[]> {
    const keys = [this.#expiry, this.#devices];
    const reply = await this.commands.run<(string | null)[]>(LAPSED, keys, [before, offset, limit]);
    return inPairs(reply);
  }

  /** A piece of all registrations. @param cursor '0' at first, then what the piece before gave; '0' after the last one */
  async scan(cursor: string): Promise<{ cursor: string; piece: FoundRegistration[] }> {
    const { client } = this.commands;
    const [next, reply] = await this.commands.during(() => client.hscan(this.#devices, cursor, 'COUNT', SCANNED));
    return { cursor: next, piece: inPairs(reply) };
  }

  /** The command stays, and nobody has to clear it away any more. */
  async neverLapses(id: Uuid): Promise<void> {
    await this.commands.during(() => this.commands.client.zrem(this.#expiry, id));
  }

  async #unregister(id: Uuid, call: string, leastAge: Millis): Promise<boolean> {
    const free = await this.commands.write<number>(UNREGISTER, [this.#devices, this.#expiry], [id, call, leastAge]);
    return free === 1;
  }
}

/** @param reply id, text, id, text... */
function inPairs(reply: readonly (string | null)[]): FoundRegistration[] {
  const found: FoundRegistration[] = [];
  for (let i = 0; i < reply.length; i += 2) found.push({ id: reply[i] ?? '', registration: parse(reply[i + 1]) });
  return found;
}

function parse(text: string | null | undefined): Registration | undefined {
  const [deviceId, call] = text?.split(' ') ?? [];
  return deviceId && call ? { deviceId, call } : undefined;
}
