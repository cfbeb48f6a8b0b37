import { type ApiKey, type Page, type PageQuery, page, type Uuid, type Written } from '@tandem/core';
import { conflict, fits, follow, get, isPresent, put, versionConflict } from './entity-rows';
import type { Environment } from './environment';
import { prefixRange, uuidBytes } from './keys';
import type { Transactions } from './transactions';

/** API keys, found by the hash of their value. */
export class EmbeddedApiKeys {
  /** @param changed hears of a user one of whose keys has been changed */
  constructor(
    private readonly env: Environment,
    private readonly transactions: Transactions,
    private readonly changed: (userId: Uuid) => void,
  ) {}

  create(key: ApiKey, max: number): Promise<Written<ApiKey>> {
    return this.transactions.run(() => {
      if (!this.env.users.doesExist(key.userId)) return conflict('ABSENT');
      if (this.env.apiKeysByHash.doesExist(key.valueHash)) return conflict('CREDENTIALS_TAKEN');
      if (this.env.apiKeys.doesExist(key.id)) return conflict('VERSION');
      if (this.#idsOf(key.userId).length >= max) return conflict('LIMIT');
      put(this.env.apiKeys, key);
      this.env.apiKeysByHash.put(key.valueHash, key.id);
      this.env.apiKeysByUser.put(userKey(key), key.id);
      return fits(key);
    });
  }

  async update(key: ApiKey): Promise<Written<ApiKey>> {
    const result = await this.transactions.run((): Written<ApiKey> => {
      const stored = this.get(key.id);
      const refused = versionConflict(stored, key);
      if (refused || !stored) return conflict(refused ?? 'ABSENT');
      const { userId, valueHash } = stored;
      const updated = { ...key, userId, valueHash, version: stored.version + 1 };
      put(this.env.apiKeys, updated);
      return fits(updated);
    });
    if (result.ok) this.changed(result.value.userId);
    return result;
  }

  async delete(id: Uuid): Promise<Written<ApiKey>> {
    const result = await this.transactions.run((): Written<ApiKey> => {
      const stored = this.get(id);
      if (!stored) return conflict('ABSENT');
      this.#remove(stored);
      return fits(stored);
    });
    if (result.ok) this.changed(result.value.userId);
    return result;
  }

  get(id: Uuid): ApiKey | undefined {
    return get<ApiKey>(this.env.apiKeys, id);
  }

  find(valueHash: string): ApiKey | undefined {
    return follow<ApiKey>(this.env.apiKeys, this.env.apiKeysByHash.get(valueHash));
  }

  list(userId: Uuid, query: PageQuery): Page<ApiKey> {
    return page(this.#of(userId), query, 'description');
  }

  /** Within a step that removes the user. */
  removeAll(userId: Uuid): void {
    for (const key of this.#of(userId)) this.#remove(key);
  }

  #of(userId: Uuid): ApiKey[] {
    return this.#idsOf(userId)
      .map((id) => this.get(id))
      .filter(isPresent);
  }

  #idsOf(userId: Uuid): string[] {
    return [...this.env.apiKeysByUser.getRange(prefixRange(uuidBytes(userId)))].map(({ value }) => value);
  }

  #remove(key: ApiKey): void {
    this.env.apiKeys.remove(key.id);
    this.env.apiKeysByHash.remove(key.valueHash);
    this.env.apiKeysByUser.remove(userKey(key));
  }
}

const userKey = ({ userId, id }: ApiKey) => Buffer.concat([uuidBytes(userId), uuidBytes(id)]);
