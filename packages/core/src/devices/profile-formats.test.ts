import { setImmediate } from 'node:timers/promises';
import type { DeviceSession } from '../auth/device-session';
import { JsonFormat, type PayloadFormat, ProtobufFormat } from '../payload/format/index';
import { DEFAULT_RPC_REQUEST_SCHEMA, DEFAULT_RPC_RESPONSE_SCHEMA } from '../payload/protobuf/index';
import { type MetricName, MetricsRegistry } from '../platform/metrics';
import type { DeviceStore, SessionChange } from '../state/device-store';
import { aDevice, aProfile } from '../testing/builders';
import type { DeviceProfile } from './model';
import { ProfileFormats } from './profile-formats';

const SETTINGS = { typeCast: true, maxStringLength: 0 };
const json = new JsonFormat(SETTINGS);

const profileOf = (id: string, field: string | undefined): DeviceProfile =>
  aProfile({
    id,
    transportType: 'COAP',
    payloadType: field === undefined ? 'JSON' : 'PROTOBUF',
    profileData: JSON.stringify({
      transportConfiguration: {
        coapDeviceTypeConfiguration: {
          transportPayloadTypeConfiguration: {
            deviceTelemetryProtoSchema: `syntax = "proto3"; message T { optional int32 ${field} = 1; }`,
            deviceAttributesProtoSchema: 'syntax = "proto3"; message A { }',
            deviceRpcRequestProtoSchema: DEFAULT_RPC_REQUEST_SCHEMA,
            deviceRpcResponseProtoSchema: DEFAULT_RPC_RESPONSE_SCHEMA,
          },
        },
      },
    }),
  });

/** A store whose reads of profiles come to an end when a test says so. */
class Profiles {
  readonly stored = new Map<string, DeviceProfile>();
  readonly #listeners: ((change: SessionChange) => void)[] = [];
  readonly metrics = new MetricsRegistry();
  reads = 0;
  gate: Promise<void> = Promise.resolve();
  current = true;
  profileOfDevice = 'a';
  readonly formats: ProfileFormats;

  constructor(bounds = { profiles: 10, bytes: 100_000 }) {
    const store: Pick<DeviceStore, 'getProfile' | 'getProfileInfo' | 'getDevice' | 'onSessionChange'> = {
      getProfileInfo: async (id) => {
        this.reads++;
        return this.stored.get(id);
      },
      getProfile: async (id) => {
        const found = this.stored.get(id);
        await this.gate;
        return found;
      },
      getDevice: async (id) => aDevice(profileOf(this.profileOfDevice, 'x'), { id }),
      onSessionChange: (listener) => {
        this.#listeners.push(listener);
        return () => {};
      },
    };
    this.formats = new ProfileFormats(store, json, SETTINGS, bounds, () => this.current, this.metrics);
  }

  save(id: string, field: string | undefined): void {
    this.stored.set(id, profileOf(id, field));
    this.tell({ kind: 'profile', profileId: id });
  }

  tell(change: SessionChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  gauge(name: MetricName): number | undefined {
    return this.metrics.value(name);
  }
}

const keyOf = (format: PayloadFormat): string => format.readTelemetry(Buffer.from('0801', 'hex'), 1).lines;

describe('The formats of profiles', () => {
  it('are without a promise once they are known, and read anew after a change', async () => {
    const profiles = new Profiles();
    profiles.save('a', 'one');
    expect(keyOf(await profiles.formats.of('a'))).toBe('1 {"one":1}');
    expect(profiles.formats.of('a')).toBeInstanceOf(ProtobufFormat);
    profiles.save('a', undefined);
    expect(profiles.formats.of('a')).toBeInstanceOf(Promise);
    expect(await profiles.formats.of('a')).toBe(json);
    expect(profiles.formats.of('a')).toBe(json);
    expect(profiles.reads).toBe(2);
  });

  it('are read once for all who ask at the same time', async () => {
    const profiles = new Profiles();
    profiles.save('a', 'one');
    const [one, other] = await Promise.all([profiles.formats.of('a'), profiles.formats.of('a')]);
    expect(one).toBe(other);
    expect(profiles.reads).toBe(1);
  });

  it.each<SessionChange>([{ kind: 'profile', profileId: 'a' }, { kind: 'missed' }])(
    'that were read before a change are nobody’s after it: %j',
    async (change) => {
      const profiles = new Profiles();
      profiles.save('a', 'old');
      let open = () => {};
      profiles.gate = new Promise((resolve) => {
        open = resolve;
      });
      const before = profiles.formats.of('a');
      // It has been read, and is on its way.
      await setImmediate();
      profiles.stored.set('a', profileOf('a', 'new'));
      profiles.tell(change);
      const after = profiles.formats.of('a');
      open();
      expect(keyOf(await before)).toBe('1 {"old":1}');
      expect(keyOf(await after)).toBe('1 {"new":1}');
      expect(keyOf(await profiles.formats.of('a'))).toBe('1 {"new":1}');
      expect(profiles.gauge('tandem_profile_formats_cached')).toBe(1);
      expect(profiles.gauge('tandem_protobuf_schemas_cached')).toBe(1);
    },
  );

  it('are asked for again after a read that failed', async () => {
    const profiles = new Profiles();
    profiles.save('a', 'one');
    profiles.gate = Promise.reject(new Error('the store is away'));
    await expect(profiles.formats.of('a')).rejects.toThrow('the store is away');
    profiles.gate = Promise.resolve();
    expect(keyOf(await profiles.formats.of('a'))).toBe('1 {"one":1}');
  });

  it('are no more than the setting says, and schemas no more than profiles of them', async () => {
    const profiles = new Profiles({ profiles: 2, bytes: 100_000 });
    for (const [id, field] of [
      ['a', 'one'],
      ['b', 'one'],
      ['c', 'two'],
    ] as const) {
      profiles.save(id, field);
      await profiles.formats.of(id);
    }
    expect(profiles.gauge('tandem_profile_formats_cached')).toBe(2);
    expect(profiles.gauge('tandem_protobuf_schemas_cached')).toBe(2);
    expect(profiles.gauge('tandem_protobuf_schemas_made_total')).toBe(2);
    await profiles.formats.of('a');
    expect(profiles.gauge('tandem_protobuf_schemas_cached')).toBe(2);
    expect(profiles.reads).toBe(4);
  });
});

describe('The formats of profiles that are used', () => {
  it('stay, and the one longest unused goes', async () => {
    const profiles = new Profiles({ profiles: 2, bytes: 100_000 });
    for (const id of ['a', 'b', 'c']) profiles.save(id, undefined);
    for (const id of ['a', 'b', 'a', 'c']) await profiles.formats.of(id);
    expect(profiles.formats.of('a')).toBe(json);
    expect(profiles.formats.of('b')).toBeInstanceOf(Promise);
  });
});

describe('The schemas of profiles', () => {
  it('are measured in bytes', async () => {
    const profiles = new Profiles();
    const bytes = async (field: string) => {
      profiles.save('a', field);
      await profiles.formats.of('a');
      return profiles.gauge('tandem_protobuf_schemas_cached_bytes') ?? 0;
    };
    expect((await bytes('x; // ü')) - (await bytes('x; // u'))).toBe(1);
  });

  it('are no longer than the setting says, the latest apart', async () => {
    const profiles = new Profiles({ profiles: 10, bytes: 1_000 });
    const cached = () => [
      profiles.gauge('tandem_protobuf_schemas_cached'),
      profiles.gauge('tandem_profile_formats_cached'),
    ];
    profiles.save('json', undefined);
    await profiles.formats.of('json');
    for (const id of ['a', 'b', 'c', 'd']) {
      profiles.save(id, id);
      await profiles.formats.of(id);
      expect(profiles.gauge('tandem_protobuf_schemas_cached_bytes')).toBeLessThanOrEqual(1_000);
    }
    // That of JSON takes none of their room.
    expect(cached()).toEqual([3, 4]);
    profiles.save('e', 'e'.repeat(900));
    await profiles.formats.of('e');
    expect(cached()).toEqual([1, 2]);
    profiles.save('e', undefined);
    expect(profiles.gauge('tandem_protobuf_schemas_cached_bytes')).toBe(0);
  });

  it('of a profile that cannot be read are asked for again', async () => {
    const profiles = new Profiles();
    profiles.stored.set('a', { ...profileOf('a', 'one'), profileData: '{}' });
    await expect(Promise.resolve(profiles.formats.of('a'))).rejects.toThrow();
    profiles.stored.set('a', profileOf('a', 'one'));
    expect(keyOf(await profiles.formats.of('a'))).toBe('1 {"one":1}');
  });
});

describe('The format of a device that waits', () => {
  const session = { deviceId: 'd', profileId: 'a' } as DeviceSession;

  it('is that of the profile it has by now', async () => {
    const profiles = new Profiles();
    profiles.save('a', 'one');
    profiles.save('b', 'two');
    const answers = profiles.formats.followed(session);
    expect(keyOf(await answers.current())).toBe('1 {"one":1}');
    profiles.profileOfDevice = 'b';
    // Nobody has said so.
    expect(keyOf(await answers.current())).toBe('1 {"one":1}');
    profiles.tell({ kind: 'device', deviceId: 'other' });
    expect(keyOf(await answers.current())).toBe('1 {"one":1}');
    profiles.tell({ kind: 'device', deviceId: 'd' });
    expect(keyOf(await answers.current())).toBe('1 {"two":1}');
    expect(answers.current()).toBeInstanceOf(ProtobufFormat);
  });

  it('is looked up where its session may be of before a change', async () => {
    const profiles = new Profiles();
    profiles.save('a', 'one');
    profiles.save('b', 'two');
    profiles.current = false;
    profiles.profileOfDevice = 'b';
    expect(keyOf(await profiles.formats.followed(session).current())).toBe('1 {"two":1}');
  });
});
