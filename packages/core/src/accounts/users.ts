import { type Authority, NULL_UUID, type User, type UserCredentials, type Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore, UserFilter } from '../state/account-store';
import { decideAgain } from '../state/decide-again';
import type { Conflict, Page, PageQuery, Written } from '../state/device-store';

/** What a caller gives to create or change a user. */
export interface UserRequest {
  readonly email: string;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  readonly phone?: string | null;
  /** An object as compact JSON text. */
  readonly additionalInfo?: string | null;
  readonly version?: number;
}

/** Where a new user belongs. */
export interface UserPlace {
  readonly tenantId: Uuid;
  readonly authority: Authority;
  /** NULL_UUID for all but customers' users. */
  readonly customerId: Uuid;
}

const MAX_EMAIL_LENGTH = 255;
/** Something before and after one `@`, with a dot behind it, and nothing that ends a line or a header. */
const EMAIL = /^[^\s@"<>,;:\\()[\]]+@[^\s@"<>,;:\\()[\]]+\.[^\s@"<>,;:\\()[\].]{2,}$/;

/** How a user gets in who has no password yet: by activation, or by an administrator's tokens. */
export const freshCredentials = (userId: Uuid): UserCredentials => ({
  userId,
  enabled: true,
  passwordHash: null,
  activation: null,
  generation: 1,
  endedSessions: [],
  version: 1,
});

/** Users of tenants and customers. */
export class Users {
  constructor(
    private readonly store: AccountStore,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** @throws TandemError BAD_REQUEST */
  async create(place: UserPlace, request: UserRequest): Promise<User> {
    await this.#requirePlace(place);
    const user: User = {
      id: this.random.uuid(),
      createdTime: this.clock.now(),
      ...place,
      ...contentOf(request),
      version: 1,
    };
    return written(await this.store.createUser(user, freshCredentials(user.id)), user);
  }

  /** @throws TandemError BAD_REQUEST, NOT_FOUND, VERSION_CONFLICT */
  async update(stored: User, request: UserRequest): Promise<User> {
    const content = contentOf(request);
    const result = await decideAgain(request.version, async () => {
      const now = await this.get(stored.id);
      return this.store.updateUser({ ...now, ...content, version: request.version ?? now.version });
    });
    return written(result, { ...stored, ...content });
  }

  /** @throws TandemError NOT_FOUND */
  async get(id: Uuid): Promise<User> {
    const user = await this.store.getUser(id);
    if (!user) throw absentUser(id);
    return user;
  }

  list(tenantId: Uuid, filter: UserFilter, query: PageQuery): Promise<Page<User>> {
    return this.store.listUsers(tenantId, filter, query);
  }

  /** @throws TandemError NOT_FOUND */
  async delete(id: Uuid): Promise<void> {
    const deleted = await this.store.deleteUser(id);
    if (!deleted.ok) throw absentUser(id);
  }

  async #requirePlace({ tenantId, authority, customerId }: UserPlace): Promise<void> {
    if (!(await this.store.getTenant(tenantId))) {
      throw new TandemError('BAD_REQUEST', { message: 'User is referencing to non-existent tenant!' });
    }
    if (authority !== 'CUSTOMER_USER') return;
    const customer = customerId === NULL_UUID ? undefined : await this.store.getCustomer(customerId);
    if (customer?.tenantId !== tenantId) {
      throw new TandemError('BAD_REQUEST', { message: 'User is referencing to non-existent customer!' });
    }
  }
}

function contentOf({ email, firstName, lastName, phone, additionalInfo }: UserRequest) {
  if (email.length > MAX_EMAIL_LENGTH || !EMAIL.test(email)) {
    throw new TandemError('BAD_REQUEST', { message: 'Invalid email address format' });
  }
  return {
    email: email.toLowerCase(),
    firstName: firstName ?? null,
    lastName: lastName ?? null,
    phone: phone ?? null,
    additionalInfo: additionalInfo ?? null,
  };
}

export const absentUser = (id: Uuid) => new TandemError('NOT_FOUND', { message: `User with id [${id}] is not found` });

const CONFLICTS: Partial<Record<Conflict, (user: User) => TandemError>> = {
  EMAIL_TAKEN: ({ email }) =>
    new TandemError('BAD_REQUEST', { message: `User with email '${email}' already present in database!` }),
  VERSION: () => new TandemError('VERSION_CONFLICT'),
  ABSENT: ({ id }) => absentUser(id),
};

function written(result: Written<User>, user: User): User {
  if (result.ok) return result.value;
  throw CONFLICTS[result.conflict]?.(user) ?? new TandemError('BAD_REQUEST', { message: result.conflict });
}
