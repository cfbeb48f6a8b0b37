import type { DeviceProfiles } from '../devices/device-profiles';
import { NULL_UUID, type User, type Uuid } from '../devices/model';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { DeviceStore } from '../state/device-store';
import { hashPassword, verifyPassword } from './passwords';

/** The tenant of system administrators, who belong to none. */
export const SYSTEM_TENANT: Uuid = NULL_UUID;

export interface NewAccount {
  readonly tenantId: Uuid;
  readonly authority: User['authority'];
  readonly email: string;
  readonly password: string;
}

export type LoginOutcome =
  | { readonly kind: 'user'; readonly user: User }
  /** No such account, or another password. */
  | { readonly kind: 'refused' }
  /** The password fits, but the account is disabled. */
  | { readonly kind: 'inactive' };

/** Who may use the server API. */
export class Accounts {
  constructor(
    private readonly store: DeviceStore,
    private readonly profiles: DeviceProfiles,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Whether an account is inactive is told to its owner only: where the password fits. */
  async login(email: string, password: string): Promise<LoginOutcome> {
    const user = await this.store.findUserByEmail(email.toLowerCase());
    const fits = await verifyPassword(password, user?.passwordHash ?? null);
    if (!fits || !user) return { kind: 'refused' };
    return user.enabled ? { kind: 'user', user } : { kind: 'inactive' };
  }

  get(id: Uuid): Promise<User | undefined> {
    return this.store.getUser(id);
  }

  async has(email: string): Promise<boolean> {
    return (await this.store.findUserByEmail(email.toLowerCase())) !== undefined;
  }

  /** A tenant with its default profile and its first administrator, unless that address has an account already. */
  async ensureTenantAdmin(email: string, password: string, title: string): Promise<'created' | 'present'> {
    if (await this.has(email)) return 'present';
    const tenantId = this.random.uuid();
    await this.store.createTenant({ id: tenantId, createdTime: this.clock.now(), title, version: 1 });
    await this.profiles.default(tenantId);
    await this.#create({ tenantId, authority: 'TENANT_ADMIN', email, password });
    return 'created';
  }

  async ensureSystemAdmin(email: string, password: string): Promise<'created' | 'present'> {
    if (await this.has(email)) return 'present';
    await this.#create({ tenantId: SYSTEM_TENANT, authority: 'SYS_ADMIN', email, password });
    return 'created';
  }

  /** Makes the administrator, or gives the one that is there this password. */
  async setTenantAdmin(email: string, password: string, title: string): Promise<void> {
    if ((await this.ensureTenantAdmin(email, password, title)) === 'present') await this.#setPassword(email, password);
  }

  async setSystemAdmin(email: string, password: string): Promise<void> {
    if ((await this.ensureSystemAdmin(email, password)) === 'present') await this.#setPassword(email, password);
  }

  async #setPassword(email: string, password: string): Promise<void> {
    const user = await this.store.findUserByEmail(email.toLowerCase());
    if (!user || (await verifyPassword(password, user.passwordHash))) return;
    await this.store.updateUser({ ...user, passwordHash: await hashPassword(password) });
  }

  async #create({ tenantId, authority, email, password }: NewAccount): Promise<void> {
    await this.store.createUser({
      id: this.random.uuid(),
      createdTime: this.clock.now(),
      tenantId,
      customerId: NULL_UUID,
      email: email.toLowerCase(),
      authority,
      firstName: null,
      lastName: null,
      enabled: true,
      passwordHash: await hashPassword(password),
      version: 1,
    });
  }
}
