import { createHash } from 'node:crypto';
import type { DeviceSession } from '../auth/device-session';
import {
  type AnswerFormat,
  type JsonFormat,
  type PayloadFormat,
  type PrescribedFormats,
  ProtobufFormat,
} from '../payload/format/index';
import { type SchemaLimits, type SchemaSources, StoredSchemas } from '../payload/protobuf/index';
import type { PayloadSettings } from '../payload/typing';
import type { MetricsRegistry } from '../platform/metrics';
import type { DeviceStore, SessionChange } from '../state/device-store';
import { schemaSourcesOf } from './coap-configuration';
import type { DeviceProfile, Uuid } from './model';
import { RecentChanges } from './recent-changes';

/**
 * Sources were measured by the settings when the profile was saved: smaller ones of today take no device its schemas. What
 * keeps the stack safe stays.
 */
const STORED: SchemaLimits = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxTypes: Number.MAX_SAFE_INTEGER,
  maxFields: Number.MAX_SAFE_INTEGER,
  maxNesting: 30,
};

/** Devices that are remembered to have changed; what is forgotten is looked up. */
const MAX_CHANGES = 1_000;

export interface FormatBounds {
  /** `TANDEM_PROFILE_FORMATS_CACHE_MAX` */
  readonly profiles: number;
  /** `TANDEM_PROTO_SCHEMAS_CACHE_MAX_BYTES` */
  readonly bytes: number;
}

/** A format of schemas, which all profiles of the same schemas share. */
interface Known {
  readonly format: PayloadFormat;
  /** Of the sources; undefined for what has none. */
  readonly digest: string | undefined;
  /** Length of the sources in UTF-8. */
  readonly bytes: number;
}

interface Shared extends Known {
  profiles: number;
}

/**
 * What the devices of a profile speak. A process cache answers all but the first; a change of the profile drops what it
 * touches before the change is acknowledged, and with it the schemas when no other profile has the same.
 */
export class ProfileFormats implements PrescribedFormats {
  readonly #known = new Map<Uuid, Known>();
  readonly #shared = new Map<string, Shared>();
  /** Of the sources of those. */
  #bytes = 0;
  /** One read of a profile for all who wait for it, until the profile is heard to have changed. */
  readonly #reading = new Map<Uuid, Promise<PayloadFormat>>();
  readonly #changes = new RecentChanges(MAX_CHANGES);
  readonly #made: { add(): void };

  constructor(
    private readonly store: Pick<DeviceStore, 'getProfile' | 'getProfileInfo' | 'getDevice' | 'onSessionChange'>,
    private readonly json: JsonFormat,
    private readonly settings: PayloadSettings,
    private readonly bounds: FormatBounds,
    /** Whether a session is known to be as the store has it. */
    private readonly isCurrent: (session: DeviceSession) => boolean,
    metrics: MetricsRegistry,
  ) {
    store.onSessionChange((change) => this.#forget(change));
    metrics.gauge('tandem_profile_formats_cached', () => this.#known.size);
    metrics.gauge('tandem_protobuf_schemas_cached_bytes', () => this.#bytes);
    metrics.gauge('tandem_protobuf_schemas_cached', () => this.#shared.size);
    this.#made = metrics.counter('tandem_protobuf_schemas_made_total');
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  of(profileId: Uuid): PayloadFormat | Promise<PayloadFormat> {
    const known = this.#known.get(profileId);
    if (!known) return this.#reading.get(profileId) ?? this.#read(profileId);
    // The one longest unused goes first.
    this.#known.delete(profileId);
    this.#known.set(profileId, known);
    return known.format;
  }

  /** A device can get another profile while it waits. */
  followed(session: DeviceSession): AnswerFormat {
    const { deviceId } = session;
    let { profileId } = session;
    // It may have changed before anybody listened.
    let seen = this.isCurrent(session) ? this.#changes.count : -1;
    const look = async () => {
      const before = this.#changes.count;
      const device = await this.store.getDevice(deviceId);
      seen = before;
      if (device) profileId = device.deviceProfileId;
      return this.of(profileId);
    };
    return { current: () => (this.#changes.since(seen, deviceId) ? look() : this.of(profileId)) };
  }

  #read(profileId: Uuid): Promise<PayloadFormat> {
    const reading = this.#stored(profileId)
      .then((profile) => {
        const known = this.#formatOf(profile);
        if (this.#reading.get(profileId) === reading) this.#keep(profileId, known);
        return known.format;
      })
      .finally(() => {
        if (this.#reading.get(profileId) === reading) this.#reading.delete(profileId);
      });
    this.#reading.set(profileId, reading);
    return reading;
  }

  /** Of most profiles what they hold besides need not be read, and it can be long. */
  async #stored(profileId: Uuid): Promise<DeviceProfile | undefined> {
    const info = await this.store.getProfileInfo(profileId);
    return info?.payloadType === 'PROTOBUF' ? this.store.getProfile(profileId) : undefined;
  }

  /** One that is gone in this moment has no devices that could tell. */
  #formatOf(profile: DeviceProfile | undefined): Known {
    if (profile?.payloadType !== 'PROTOBUF') return { format: this.json, digest: undefined, bytes: 0 };
    const sources = schemaSourcesOf(profile.profileData);
    const digest = digestOf(sources);
    const shared = this.#shared.get(digest);
    if (shared) return shared;
    this.#made.add();
    const format = new ProtobufFormat(new StoredSchemas(sources, STORED), this.settings);
    return { format, digest, bytes: Buffer.byteLength(textsOf(sources).join('')) };
  }

  #keep(profileId: Uuid, known: Known): void {
    const { digest, bytes } = known;
    for (const [oldest, { digest: its }] of this.#known) {
      const added = digest === undefined || this.#shared.has(digest) ? 0 : bytes;
      const isFull = this.#known.size >= this.bounds.profiles;
      if (!isFull && this.#bytes + added <= this.bounds.bytes) break;
      // One without schemas makes no room for some.
      if (isFull || its !== undefined) this.#drop(oldest);
    }
    if (digest !== undefined) {
      let shared = this.#shared.get(digest);
      if (!shared) {
        shared = { ...known, profiles: 0 };
        this.#shared.set(digest, shared);
        this.#bytes += bytes;
      }
      shared.profiles++;
    }
    this.#known.set(profileId, known);
  }

  #drop(profileId: Uuid): void {
    const digest = this.#known.get(profileId)?.digest;
    this.#known.delete(profileId);
    const shared = digest === undefined ? undefined : this.#shared.get(digest);
    if (digest === undefined || !shared || --shared.profiles > 0) return;
    this.#shared.delete(digest);
    this.#bytes -= shared.bytes;
  }

  #forget(change: SessionChange): void {
    switch (change.kind) {
      case 'missed':
        this.#known.clear();
        this.#shared.clear();
        this.#bytes = 0;
        this.#reading.clear();
        this.#changes.all();
        break;
      case 'profile':
        this.#drop(change.profileId);
        this.#reading.delete(change.profileId);
        break;
      default:
        this.#changes.of(change.deviceId);
    }
  }
}

const textsOf = (sources: SchemaSources): readonly string[] => [
  sources.deviceTelemetryProtoSchema,
  sources.deviceAttributesProtoSchema,
  sources.deviceRpcRequestProtoSchema,
  sources.deviceRpcResponseProtoSchema,
];

const digestOf = (sources: SchemaSources): string =>
  createHash('sha256')
    .update(JSON.stringify(textsOf(sources)))
    .digest('base64');
