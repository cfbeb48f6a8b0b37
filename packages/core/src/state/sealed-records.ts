import type { DeviceCredentials, ProfileInfo, UserCredentials, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import { isSealedNow, type SecretBox } from '../platform/secret-box';
import type { Claim } from './claim-store';

/** In which records of a store there are secrets, each by the id of its row. */
export type SealedTable = 'credentials' | 'user-credentials' | 'profiles' | 'profile-data' | 'claims' | 'secrets';

export interface Sealed {
  readonly sealed: string;
}
type Keyed = Pick<ProfileInfo, 'id' | 'provisionDeviceKey'>;
/** A profile as it is stored: whoever wants only its name need not open anything. */
export type StoredProfile<T extends Keyed = ProfileInfo> = Omit<T, 'provisionDeviceKey'> & {
  readonly provisionDeviceKey: string | null | Sealed;
};

/** What stands in the records of a store for what is secret, the same in all stores (ADR 39). */
export class SealedRecords {
  constructor(private readonly box: SecretBox) {}

  credentialsText(credentials: DeviceCredentials): string {
    return this.#seal('credentials', credentials.deviceId, JSON.stringify(credentials));
  }

  credentials(deviceId: Uuid, text: string): DeviceCredentials {
    return JSON.parse(this.#open('credentials', deviceId, text)) as DeviceCredentials;
  }

  /**
   * The same for who replaces it: what does not open has nothing of the former but its device.
   * @throws TandemError STORE_UNAVAILABLE where another process has the key
   */
  replaceableCredentials(deviceId: Uuid, text: string): DeviceCredentials | undefined {
    try {
      return this.credentials(deviceId, text);
    } catch (error) {
      if (!(error instanceof TandemError) || error.code !== 'INTERNAL') throw error;
      return undefined;
    }
  }

  userCredentialsText(credentials: UserCredentials): string {
    return this.#seal('user-credentials', credentials.userId, JSON.stringify(credentials));
  }

  userCredentials(userId: Uuid, text: string): UserCredentials {
    return JSON.parse(this.#open('user-credentials', userId, text)) as UserCredentials;
  }

  profileDataText(profileId: Uuid, profileData: string): string {
    return this.#seal('profile-data', profileId, profileData);
  }

  profileData(profileId: Uuid, text: string): string {
    return this.#open('profile-data', profileId, text);
  }

  claimText(deviceId: Uuid, { secretHash, expirationTime }: Claim): string {
    return this.#seal('claims', deviceId, JSON.stringify({ secretHash, expirationTime }));
  }

  claim(deviceId: Uuid, text: string): Claim {
    return JSON.parse(this.#open('claims', deviceId, text)) as Claim;
  }

  secretText(name: string, base64: string): string {
    return this.#seal('secrets', name, base64);
  }

  secret(name: string, text: string): string {
    return this.#open('secrets', name, text);
  }

  storedProfile<T extends Keyed>(profile: T): StoredProfile<T> {
    const { id, provisionDeviceKey } = profile;
    if ((provisionDeviceKey ?? null) === null || this.box.keyIds.length === 0) return profile;
    // As JSON: half of a surrogate pair has no UTF-8.
    return {
      ...profile,
      provisionDeviceKey: { sealed: this.#seal('profiles', id, JSON.stringify(provisionDeviceKey)) },
    };
  }

  profile<T extends Keyed>(stored: StoredProfile<T>): T {
    const { provisionDeviceKey: key } = stored;
    const opened = isSealed(key) ? (JSON.parse(this.#open('profiles', stored.id, key.sealed)) as string) : key;
    return { ...stored, provisionDeviceKey: opened } as unknown as T;
  }

  /**
   * The text of a row as it would be written now.
   * @returns undefined where it stands like that already
   * @throws TandemError where it does not open, also of what reads as if it stood like that: it may be of another row
   */
  resealed(table: Exclude<SealedTable, 'profiles'>, id: string, text: string): string | undefined {
    const opened = this.#open(table, id, text);
    return isSealedNow(this.box, text) ? undefined : this.#seal(table, id, opened);
  }

  /** Whether the secret in it stands as it would be written now. */
  isProfileSealedNow({ provisionDeviceKey }: Pick<StoredProfile, 'provisionDeviceKey'>): boolean {
    const key = provisionDeviceKey ?? null;
    return key === null || isSealedNow(this.box, isSealed(key) ? key.sealed : '');
  }

  #seal(table: SealedTable, id: string, text: string): string {
    return this.box.seal(text, `${table} ${id}`);
  }

  #open(table: SealedTable, id: string, text: string): string {
    return this.box.open(text, `${table} ${id}`);
  }
}

const isSealed = (key: string | null | Sealed): key is Sealed => typeof key === 'object' && key !== null;
