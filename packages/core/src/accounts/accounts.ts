import type { DeviceProfiles } from '../devices/device-profiles';
import { NO_CONTACT, NULL_UUID, type User, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore } from '../state/account-store';
import type { Written } from '../state/device-store';
import { changeCredentials, endAll } from './credentials-change';
import { hashPassword, verifyPassword } from './passwords';
import { freshCredentials } from './users';

/** The tenant of system administrators, who belong to none. */
const SYSTEM_TENANT: Uuid = NULL_UUID;

export interface NewAccount {
  readonly tenantId: Uuid;
  readonly authority: User['authority'];
  readonly email: string;
  readonly password: Password;
}

/** As it is, or made when it is needed. */
export type Password = string | (() => string);

/** The administrators that a gateway begins with. */
export class Accounts {
  constructor(
    private readonly store: AccountStore,
    private readonly profiles: DeviceProfiles,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** Whether there is such an account with this password. Nobody's guess is counted. */
  async passwordFits(email: string, password: string): Promise<boolean> {
    const account = await this.store.findAccountByEmail(email.toLowerCase());
    return verifyPassword(password, account?.credentials.passwordHash ?? null);
  }

  /**
   * A tenant administrator with a tenant of his own and its default profile, unless that address has an account already.
   * The address decides who makes them, so of processes that do it at once one does; what a process that died has left
   * out is made by the next one.
   * @param password asked for only where there is no account yet
   * @throws what `password` throws; then nothing was made
   */
  async ensureTenantAdmin(email: string, password: Password, title: string): Promise<'created' | 'present'> {
    const tenantId = this.random.uuid();
    const { user, outcome } = await this.#ensure({ tenantId, authority: 'TENANT_ADMIN', email, password });
    if (user.authority === 'TENANT_ADMIN') await this.#ensureTenant(user.tenantId, title);
    return outcome;
  }

  async ensureSystemAdmin(email: string, password: Password): Promise<'created' | 'present'> {
    const account = { tenantId: SYSTEM_TENANT, authority: 'SYS_ADMIN', email, password } as const;
    return (await this.#ensure(account)).outcome;
  }

  /** Makes the administrator, or gives the one that is there this password; with another one than before every session ends. */
  async setTenantAdmin(email: string, password: string, title: string): Promise<void> {
    if ((await this.ensureTenantAdmin(email, password, title)) === 'present') await this.#setPassword(email, password);
  }

  async setSystemAdmin(email: string, password: string): Promise<void> {
    if ((await this.ensureSystemAdmin(email, password)) === 'present') await this.#setPassword(email, password);
  }

  async #ensureTenant(id: Uuid, title: string): Promise<void> {
    if (!(await this.store.getTenant(id))) {
      const created = await this.store.createTenant({
        ...NO_CONTACT,
        id,
        createdTime: this.clock.now(),
        title,
        region: null,
        additionalInfo: null,
        version: 1,
      });
      // It was deleted, and he goes with it.
      if (!created.ok && created.conflict === 'ABSENT') return;
    }
    await this.profiles.default(id);
  }

  async #setPassword(email: string, password: string): Promise<void> {
    const account = await this.store.findAccountByEmail(email.toLowerCase());
    if (!account || (await verifyPassword(password, account.credentials.passwordHash))) return;
    const passwordHash = await hashPassword(password);
    await changeCredentials(this.store, account.user.id, (stored) => endAll({ ...stored, passwordHash }));
  }

  async #ensure(account: NewAccount): Promise<{ readonly user: User; readonly outcome: 'created' | 'present' }> {
    const email = account.email.toLowerCase();
    const present = await this.store.findUserByEmail(email);
    if (present) return { user: present, outcome: 'present' };
    const created = await this.#create(account, email);
    if (created.ok) return { user: created.value, outcome: 'created' };
    const faster = await this.store.findUserByEmail(email);
    if (!faster) throw new TandemError('STORE_UNAVAILABLE', { message: `The account of ${email} comes and goes` });
    return { user: faster, outcome: 'present' };
  }

  async #create({ tenantId, authority, password }: NewAccount, email: string): Promise<Written<User>> {
    const user: User = {
      id: this.random.uuid(),
      createdTime: this.clock.now(),
      tenantId,
      customerId: NULL_UUID,
      email,
      authority,
      firstName: null,
      lastName: null,
      phone: null,
      additionalInfo: null,
      version: 1,
    };
    const passwordHash = await hashPassword(typeof password === 'string' ? password : password());
    return this.store.createUser(user, { ...freshCredentials(user.id), passwordHash });
  }
}
