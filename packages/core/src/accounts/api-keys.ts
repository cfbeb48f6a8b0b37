import { credentialsHash } from '../auth/credentials-hash';
import type { ApiKey, User, Uuid } from '../devices/model';
import { TandemError } from '../errors';
import type { Clock, EpochMillis } from '../platform/clock';
import type { Random } from '../platform/random';
import type { AccountStore } from '../state/account-store';
import type { Conflict, Page, PageQuery, Written } from '../state/device-store';

export interface ApiKeyRequest {
  readonly description: string;
  /** 0 = never. */
  readonly expirationTime: EpochMillis;
  readonly enabled: boolean;
}

/** A key at its birth, the only time that its value is known. */
export interface NewApiKey {
  readonly key: ApiKey;
  /** A secret: never into a log line. */
  readonly value: string;
}

const VALUE_LENGTH = 64;
const MAX_DESCRIPTION_LENGTH = 255;

/** API keys of users (server contract 1.1, 2). */
export class ApiKeys {
  /** @param max keys of one user */
  constructor(
    private readonly store: AccountStore,
    private readonly max: number,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {}

  /** @throws TandemError BAD_REQUEST */
  async create(user: User, request: ApiKeyRequest): Promise<NewApiKey> {
    const value = this.random.alphanumeric(VALUE_LENGTH);
    const now = this.clock.now();
    requireFuture(request.expirationTime, now);
    const key: ApiKey = {
      id: this.random.uuid(),
      createdTime: now,
      tenantId: user.tenantId,
      userId: user.id,
      description: requireDescription(request.description),
      enabled: request.enabled,
      expirationTime: request.expirationTime,
      valueHash: credentialsHash(value),
      version: 1,
    };
    return { key: this.#written(await this.store.createApiKey(key, this.max)), value };
  }

  /** @throws TandemError NOT_FOUND */
  async get(id: Uuid): Promise<ApiKey> {
    const key = await this.store.getApiKey(id);
    if (!key) throw absentApiKey(id);
    return key;
  }

  list(userId: Uuid, query: PageQuery): Promise<Page<ApiKey>> {
    return this.store.listApiKeys(userId, query);
  }

  /** @throws TandemError BAD_REQUEST, NOT_FOUND, VERSION_CONFLICT */
  async update(key: ApiKey, change: Partial<ApiKeyRequest>): Promise<ApiKey> {
    if (change.expirationTime !== undefined && change.expirationTime !== key.expirationTime) {
      requireFuture(change.expirationTime, this.clock.now());
    }
    const changed = { ...key, ...change };
    return this.#written(
      await this.store.updateApiKey({ ...changed, description: requireDescription(changed.description) }),
    );
  }

  /** @throws TandemError NOT_FOUND */
  async delete(id: Uuid): Promise<void> {
    this.#written(await this.store.deleteApiKey(id));
  }

  #written(result: Written<ApiKey>): ApiKey {
    if (result.ok) return result.value;
    throw refusal(result.conflict, this.max);
  }
}

export const absentApiKey = (id: Uuid) =>
  new TandemError('NOT_FOUND', { message: `API key with id [${id}] is not found` });

function requireFuture(expirationTime: EpochMillis, now: EpochMillis): void {
  if (expirationTime === 0 || expirationTime > now) return;
  throw new TandemError('BAD_REQUEST', { message: 'The expiration time of an API key must be in the future' });
}

function requireDescription(description: unknown): string {
  if (typeof description !== 'string' || description.trim() === '' || description.length > MAX_DESCRIPTION_LENGTH) {
    throw new TandemError('BAD_REQUEST', {
      message: `API key description must have 1 to ${MAX_DESCRIPTION_LENGTH} characters`,
    });
  }
  return description;
}

function refusal(conflict: Conflict, max: number): TandemError {
  if (conflict === 'LIMIT') return new TandemError('BAD_REQUEST', { message: `A user has at most ${max} API keys` });
  if (conflict === 'VERSION') return new TandemError('VERSION_CONFLICT');
  return conflict === 'ABSENT' ? new TandemError('NOT_FOUND') : new TandemError('BAD_REQUEST', { message: conflict });
}
