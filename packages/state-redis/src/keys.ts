import type { Uuid } from '@tandem/core';

/** A power of two, for good: a device stays in the index that it is in. */
export const ACTIVITY_TAGS: readonly number[] = Array.from({ length: 16 }, (_, tag) => tag);

/**
 * Every key of the store. What stands in braces decides the slot of a Cluster: all keys of a device are in one slot, so
 * that one script changes its state, appends to its log and wakes its waiters; so is the whole registry (adr/0011).
 */
export class Keys {
  constructor(readonly prefix: string) {}

  /** Tables of the registry: tenants, users, profiles, devices, credentials and what finds them. */
  registry(table: string): string {
    return `${this.prefix}:{registry}:${table}`;
  }

  /** Something of one device. */
  device(deviceId: Uuid, what: string): string {
    return `${this.prefix}:{d:${deviceId}}:${what}`;
  }

  /** Something of one tenant. */
  tenant(tenantId: Uuid, what: string): string {
    return `${this.prefix}:{t:${tenantId}}:${what}`;
  }

  /** Something of the bytes of one package. */
  firmware(dataId: Uuid, what: string): string {
    return `${this.prefix}:{f:${dataId}}:${what}`;
  }

  /** Something of one user. */
  user(userId: Uuid, what: string): string {
    return `${this.prefix}:{u:${userId}}:${what}`;
  }

  /** Failures of one subject, by its hash. */
  failures(hash: string): string {
    return `${this.prefix}:{failures:${hash}}`;
  }

  /** The channel on which the waiters of a device are woken, in the device's slot. */
  wakeChannel(deviceId: Uuid): string {
    return this.device(deviceId, 'wake');
  }

  /** The device of a wake channel; undefined for another channel. */
  wokenDevice(channel: string): Uuid | undefined {
    return this.#deviceOf(channel, '}:wake');
  }

  /** The channel on which is told what was written about a device, in its slot. */
  feedChannel(deviceId: Uuid): string {
    return this.device(deviceId, 'feed');
  }

  /** The device of a feed; undefined for another channel. */
  fedDevice(channel: string): Uuid | undefined {
    return this.#deviceOf(channel, '}:feed');
  }

  /** What is known of all RPCs, whichever their device: where they are and when they lapse. */
  rpcs(what: string): string {
    return `${this.prefix}:{rpcs}:${what}`;
  }

  /** Channels between the processes, all in one slot. */
  processes(what: string): string {
    return `${this.prefix}:{processes}:${what}`;
  }

  /** Rollouts of firmware and software that are not finished. */
  rollouts(what: string): string {
    return `${this.prefix}:{rollouts}:${what}`;
  }

  /** When devices have to be looked at that may have gone silent: one of a few indexes over all devices. */
  activity(tag: number): string {
    return `${this.prefix}:{activity:${tag}}:due`;
  }

  /** The one that a device is in. */
  activityOf(deviceId: Uuid): string {
    return this.activity(Number.parseInt(deviceId.slice(-1), 16) % ACTIVITY_TAGS.length || 0);
  }

  /** The stream of one partition of the telemetry log. */
  telemetry(partition: number): string {
    return `${this.prefix}:telemetry:{${partition}}`;
  }

  /** Something that goes with the stream of a partition. */
  partition(partition: number, what: string): string {
    return `${this.telemetry(partition)}:${what}`;
  }

  #deviceOf(channel: string, tail: string): Uuid | undefined {
    const head = `${this.prefix}:{d:`;
    return channel.startsWith(head) && channel.endsWith(tail) ? channel.slice(head.length, -tail.length) : undefined;
  }
}
