import type { EpochMillis, Millis, Uuid } from '@tandem/core';
import { type Commands, loadScript } from '../client';
import type { Keys } from '../keys';

const REGISTER = loadScript('rpc-register');
const UNREGISTER = loadScript('rpc-unregister');
const LAPSED = loadScript('rpc-lapsed');
const FINISH = loadScript('rpc-finish');

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
 * Which device each command is of, when it lapses, and since when it is final: what has to be found without knowing the
 * device, in a slot of its own. A registration is there before its command and goes after it, so a process that dies in between leaves one without a
 * command; `clear` takes that away.
 */
export class RpcRegistrations {
  readonly #devices: string;
  readonly #expiry: string;
  readonly #finished: string;

  constructor(
    private readonly commands: Commands,
    keys: Keys,
  ) {
    this.#devices = keys.rpcs('devices');
    this.#expiry = keys.rpcs('expiry');
    this.#finished = keys.rpcs('finished');
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
  lapsed(before: EpochMillis, offset: number, limit: number): Promise<FoundRegistration[]> {
    return this.#listed(this.#expiry, before, offset, limit);
  }

  /** Registered commands that are persistent and final since before the time, earliest first. */
  finished(before: EpochMillis, offset: number, limit: number): Promise<FoundRegistration[]> {
    return this.#listed(this.#finished, before, offset, limit);
  }

  /** A piece of all registrations. @param cursor '0' at first, then what the piece before gave; '0' after the last one */
  async scan(cursor: string): Promise<{ cursor: string; piece: FoundRegistration[] }> {
    const { client } = this.commands;
    const [next, reply] = await this.commands.during(() => client.hscan(this.#devices, cursor, 'COUNT', SCANNED));
    return { cursor: next, piece: inPairs(reply) };
  }

  /** The command is final and stays: nobody has to clear it away until it is old. */
  async finish(id: Uuid, since: EpochMillis): Promise<void> {
    await this.commands.write(FINISH, [this.#devices, this.#expiry, this.#finished], [id, since]);
  }

  async #listed(list: string, before: EpochMillis, offset: number, limit: number): Promise<FoundRegistration[]> {
    const reply = await this.commands.run<(string | null)[]>(LAPSED, [list, this.#devices], [before, offset, limit]);
    return inPairs(reply);
  }

  async #unregister(id: Uuid, call: string, leastAge: Millis): Promise<boolean> {
    const keys = [this.#devices, this.#expiry, this.#finished];
    const free = await this.commands.write<number>(UNREGISTER, keys, [id, call, leastAge]);
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
