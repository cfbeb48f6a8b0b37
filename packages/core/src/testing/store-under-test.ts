import type { Device, DeviceCredentials, DeviceProfile } from '../devices/model';
import type { Millis } from '../platform/clock';
import type { Logger } from '../platform/logger';
import type { Written } from '../state/device-store';
import type { State } from '../state/state';
import { aDevice, aProfile, credentialsOf } from './builders';

/** The bounds a store is made with, as in the settings of the same names. */
export interface StoreLimits {
  /** Telemetry messages that may wait for the materialiser. */
  readonly backlogMax: number;
  /** Attribute events kept for each device. */
  readonly eventLogMax: number;
  /** Open RPCs of one device. */
  readonly rpcMaxPending: number;
  /** Finished persistent RPCs of one device. */
  readonly rpcFinishedMax: number;
  /** Devices that are kept in memory to list them. */
  readonly directoryMax: number;
  /** Telemetry keys of one device in the view. */
  readonly telemetryKeysMax: number;
  /** Points of a series. */
  readonly historyMax: number;
  /** How old points of the history may get. */
  readonly historyMaxAge: Millis;
  readonly logger: Logger;
}

export interface StoreUnderTest {
  /** Empty; its materialiser has not been started. */
  readonly state: State;
  /** Closes the state and opens the same store again. */
  reopen(): Promise<State>;
  /** Closes what is open and removes what is stored. */
  destroy(): Promise<void>;
}

/** @param limits large enough not to matter where left out */
export type MakeStore = (limits?: Partial<StoreLimits>) => Promise<StoreUnderTest>;

/** A new store for every test of the surrounding `describe`. */
export function useStore(makeStore: MakeStore, limits?: Partial<StoreLimits>): UsedStore {
  const used = new UsedStore(() => makeStore(limits));
  beforeEach(() => used.empty());
  afterEach(() => used.destroy());
  return used;
}

/**
 * One store for all tests of the surrounding `describe`, since opening one takes longer than most tests do: for tests that
 * look only at what they have made themselves. One that does not asks for an `empty` one.
 */
export function useSharedStore(makeStore: MakeStore, limits?: Partial<StoreLimits>): UsedStore {
  const used = new UsedStore(() => makeStore(limits));
  beforeAll(() => used.empty());
  afterAll(() => used.destroy());
  return used;
}

export class UsedStore {
  #store: StoreUnderTest | undefined;
  #state: State | undefined;

  constructor(private readonly make: () => Promise<StoreUnderTest>) {}

  /** Another one, with nothing in it: for a test that counts all there is. */
  async empty(): Promise<void> {
    await this.destroy();
    this.#store = await this.make();
    this.#state = this.#store.state;
  }

  get state(): State {
    if (!this.#state) throw new Error('the store is there only within a test');
    return this.#state;
  }

  async reopen(): Promise<void> {
    this.#state = await this.#store?.reopen();
  }

  async destroy(): Promise<void> {
    await this.#store?.destroy();
    this.#store = undefined;
    this.#state = undefined;
  }

  async profile(given?: Partial<DeviceProfile>): Promise<DeviceProfile> {
    return accepted(await this.state.devices.createProfile(aProfile(given)));
  }

  /** A device with an access token, of a profile of its own where none is given. */
  async device(
    given: Partial<Device> = {},
    { profile, credentials }: { profile?: DeviceProfile; credentials?: Partial<DeviceCredentials> } = {},
  ): Promise<Device> {
    const device = aDevice(profile ?? (await this.profile()), given);
    return accepted(await this.state.devices.createDevice(device, credentialsOf(device, credentials)));
  }
}

/** The value of a write that must not have run into a conflict. */
export function accepted<T>(written: Written<T>): T {
  if (!written.ok) throw new Error(`the write ran into ${written.conflict}`);
  return written.value;
}

/** Keys and names that are legal and that a careless store confuses, cuts short or refuses. */
export const ODD_NAMES: readonly string[] = [
  ' ',
  'a',
  'a\u0000',
  'a\u0000b',
  '\u0000',
  '\u0001\u0002\u0003\u0004\u001b\u001f',
  '\u0004\u0001',
  '\u007f\u0080',
  '"quoted\\"',
  'line\nbreak\r',
  '%:{}[]*?',
  '__proto__',
  'ü',
  'u\u0308',
  '\ufeff',
  '\uffff',
  '\uffff\uffff',
  '😀',
  '\u{10ffff}',
  'x'.repeat(255),
  '\uffff'.repeat(255),
  '😀'.repeat(127),
  '\u0001'.repeat(63),
  '\u0001'.repeat(64),
];

/** Half of a surrogate pair: text that has no UTF-8. */
export const LONE_SURROGATES = ['\ud800', '\udfff', 'a\ud83d'] as const;

/** What a store calls a listener with that is to look again at everything. */
const LOOK_AGAIN: readonly string[] = ['attributes', 'rpc', 'observer'];

/** What was heard, without the calls to look again at everything that a store may make at any time. */
export function hintsOf(heard: readonly string[]): string[] {
  const hints: string[] = [];
  for (let at = 0; at < heard.length; at++) {
    if (LOOK_AGAIN.every((wake, i) => heard[at + i] === wake)) at += LOOK_AGAIN.length - 1;
    else hints.push(heard[at] ?? '');
  }
  return hints;
}
