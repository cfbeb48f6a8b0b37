import { createHash } from 'node:crypto';
import type { DeviceSession } from '../auth/device-session';
import {
  type AnswerFormat,
  type JsonFormat,
  type PayloadFormat,
  type PrescribedFormats,
  ProtobufFormat,
} from '../payload/format/index';
import { readPayloadSchemas, type SchemaLimits, type SchemaSources } from '../payload/protobuf/index';
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

/** A format of schemas, which all profiles of the same schemas share. */
interface Compiled {
  readonly format: PayloadFormat;
  /** Of the sources; undefined for what has none. */
  readonly digest: string | undefined;
}

interface Shared extends Compiled {
  profiles: number;
}

/**
 * What the devices of a profile speak. A process cache answers all but the first; a change of the profile drops what it
 * touches before the change is acknowledged, and with it the schemas when no other profile has the same.
 */
export class ProfileFormats implements PrescribedFormats {
  readonly #known = new Map<Uuid, Compiled>();
  readonly #shared = new Map<string, Shared>();
  /** One read of a profile for all who wait for it, until the profile is heard to have changed. */
  readonly #reading = new Map<Uuid, Promise<PayloadFormat>>();
  readonly #changes = new RecentChanges(MAX_CHANGES);
  readonly #compiled: { add(): void };

  constructor(
    private readonly store: Pick<DeviceStore, 'getProfile' | 'getDevice' | 'onSessionChange'>,
    private readonly json: JsonFormat,
    private readonly settings: PayloadSettings,
    /** `TANDEM_PROFILE_FORMATS_CACHE_MAX` */
    private readonly max: number,
    /** Whether a session is known to be as the store has it. */
    private readonly isCurrent: (session: DeviceSession) => boolean,
    metrics: MetricsRegistry,
  ) {
    store.onSessionChange((change) => this.#forget(change));
    metrics.gauge(
      'tandem_profile_formats_cached',
      'Device profiles whose payload format is in the process cache',
      () => this.#known.size,
    );
    metrics.gauge(
      'tandem_protobuf_schemas_cached',
      'Sets of protobuf schemas in the process cache; profiles of the same schemas share one',
      () => this.#shared.size,
    );
    this.#compiled = metrics.counter(
      'tandem_protobuf_schemas_compiled_total',
      'Sets of protobuf schemas that were read for payloads',
    );
  }

  /** @throws TandemError STORE_UNAVAILABLE */
  of(profileId: Uuid): PayloadFormat | Promise<PayloadFormat> {
    return this.#known.get(profileId)?.format ?? this.#reading.get(profileId) ?? this.#read(profileId);
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
    const reading = this.store.getProfile(profileId).then(
      (profile) => {
        const compiled = this.#compile(profile);
        if (this.#reading.get(profileId) === reading) {
          this.#reading.delete(profileId);
          this.#keep(profileId, compiled);
        }
        return compiled.format;
      },
      (error) => {
        if (this.#reading.get(profileId) === reading) this.#reading.delete(profileId);
        throw error;
      },
    );
    this.#reading.set(profileId, reading);
    return reading;
  }

  /** One that is gone in this moment has no devices that could tell. */
  #compile(profile: DeviceProfile | undefined): Compiled {
    if (profile?.payloadType !== 'PROTOBUF') return { format: this.json, digest: undefined };
    const sources = schemaSourcesOf(profile.profileData);
    const digest = digestOf(sources);
    const shared = this.#shared.get(digest);
    if (shared) return shared;
    this.#compiled.add();
    return { format: new ProtobufFormat(readPayloadSchemas(sources, STORED), this.settings), digest };
  }

  #keep(profileId: Uuid, { format, digest }: Compiled): void {
    const [oldest] = this.#known.size >= this.max ? this.#known.keys() : [];
    if (oldest !== undefined) this.#drop(oldest);
    if (digest !== undefined) {
      const shared = this.#shared.get(digest) ?? { format, digest, profiles: 0 };
      shared.profiles++;
      this.#shared.set(digest, shared);
    }
    this.#known.set(profileId, { format, digest });
  }

  #drop(profileId: Uuid): void {
    const digest = this.#known.get(profileId)?.digest;
    this.#known.delete(profileId);
    const shared = digest === undefined ? undefined : this.#shared.get(digest);
    if (shared && --shared.profiles === 0) this.#shared.delete(shared.digest as string);
  }

  #forget(change: SessionChange): void {
    switch (change.kind) {
      case 'missed':
        this.#known.clear();
        this.#shared.clear();
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

function digestOf(sources: SchemaSources): string {
  const texts = [
    sources.deviceTelemetryProtoSchema,
    sources.deviceAttributesProtoSchema,
    sources.deviceRpcRequestProtoSchema,
    sources.deviceRpcResponseProtoSchema,
  ];
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64');
}
