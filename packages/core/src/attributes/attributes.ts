import type { DeviceSession } from '../auth/device-session';
import type { Connectivity } from '../connectivity/connectivity';
import { send } from '../devices/event-trace';
import type { Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { MessageLimits } from '../limits/limits';
import type { PayloadFormat } from '../payload/index';
import type { MessageSize } from '../payload/message-size';
import type { KeyValue } from '../payload/value';
import type { Clock } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { Attribute, AttributeScope, AttributeStore } from '../state/attribute-store';

/** Which keys a device asks for. A list that is absent is not the same as an empty one (contract 1.3.1). */
export interface AttributesRequest {
  readonly clientKeys?: readonly string[];
  readonly sharedKeys?: readonly string[];
}

export interface DeviceAttributes {
  readonly client: readonly KeyValue[];
  readonly shared: readonly KeyValue[];
}

export class Attributes {
  constructor(
    private readonly store: AttributeStore,
    private readonly json: PayloadFormat,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly limits: MessageLimits,
    private readonly connectivity: Pick<Connectivity, 'attributesChanged'>,
    private readonly size: MessageSize,
  ) {}

  /**
   * Client attributes, as the device writes them (contract 3.3).
   * @param format JSON where left out
   * @throws TandemError BAD_PAYLOAD, PAYLOAD_TOO_LARGE, TOO_MANY_REQUESTS, UNAUTHORIZED when the device is gone by now,
   * STORE_UNAVAILABLE
   */
  async postClient(session: DeviceSession, payload: Buffer, format: PayloadFormat = this.json): Promise<void> {
    const { entries, droppedKeys } = format.readAttributes(payload);
    this.size.checkAll(entries);
    if (droppedKeys > 0) this.logger.warn('attribute keys left out', { deviceId: session.deviceId, keys: droppedKeys });
    await this.limits.take(session, 'telemetry', entries.length);
    if (entries.length === 0) return;
    const saved = await this.store.save(session.deviceId, 'CLIENT', entries, this.clock.now());
    if (!saved) throw new TandemError('UNAUTHORIZED');
  }

  /**
   * What the device may see: neither list given means both scopes whole, one list given means that scope alone.
   * @throws TandemError TOO_MANY_REQUESTS, STORE_UNAVAILABLE
   */
  async readForDevice(session: DeviceSession, request: AttributesRequest): Promise<DeviceAttributes> {
    await this.limits.take(session, 'message');
    const { deviceId } = session;
    const { clientKeys, sharedKeys } = request;
    const everything = clientKeys === undefined && sharedKeys === undefined;
    const [client, shared] = await Promise.all([
      everything || clientKeys ? this.store.read(deviceId, 'CLIENT', clientKeys) : [],
      everything || sharedKeys ? this.store.read(deviceId, 'SHARED', sharedKeys) : [],
    ]);
    return { client, shared };
  }

  read(deviceId: Uuid, scope: AttributeScope, keys?: readonly string[]): Promise<Attribute[]> {
    return this.store.read(deviceId, scope, keys);
  }

  /**
   * The server's write: SHARED reaches every waiter of the device on every process.
   * @throws TandemError NOT_FOUND when the device is gone, INVALID_ARGUMENTS for the CLIENT scope, PAYLOAD_TOO_LARGE
   */
  async saveFromServer(deviceId: Uuid, scope: AttributeScope, entries: readonly KeyValue[]): Promise<void> {
    if (scope === 'CLIENT') throw new TandemError('INVALID_ARGUMENTS', { message: 'Invalid scope: CLIENT_SCOPE' });
    this.size.checkAll(entries);
    const save = (trace?: string) => this.store.save(deviceId, scope, entries, this.clock.now(), trace);
    const saved = await (scope === 'SHARED' ? send('attributes', deviceId, save) : save());
    if (!saved) throw new TandemError('NOT_FOUND', { message: "Device with requested id wasn't found!" });
    if (scope === 'SERVER') await this.connectivity.attributesChanged(deviceId, entries.map(keyOf));
  }

  /**
   * An attribute of the SERVER scope that the device has not: of those who save it at once, on any process, one does.
   * @returns whether it was saved here; false also when the device is gone
   */
  async saveServerIfAbsent(deviceId: Uuid, entry: KeyValue): Promise<boolean> {
    const saved = await this.store.saveServerIfAbsent(deviceId, entry, this.clock.now());
    if (saved) await this.connectivity.attributesChanged(deviceId, [entry.key]);
    return saved;
  }

  async delete(deviceId: Uuid, scope: AttributeScope, keys: readonly string[]): Promise<readonly string[]> {
    const remove = (trace?: string) => this.store.delete(deviceId, scope, keys, this.clock.now(), trace);
    const deleted = await (scope === 'SHARED' ? send('attributes', deviceId, remove) : remove());
    if (scope === 'SERVER') await this.connectivity.attributesChanged(deviceId, deleted);
    return deleted;
  }
}

const keyOf = ({ key }: KeyValue): string => key;
