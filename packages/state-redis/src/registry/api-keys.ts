import { type ApiKey, type Page, type PageQuery, page, type Uuid, type Written } from '@tandem/core';
import { Commit } from './commit';
import { inOrderOf } from './names';
import { at, foundBy, type RegistryReader, type Step } from './reader';
import { parseApiKey } from './records';
import { keyIds, keyIdsText } from './tables';
import type { RegistryWriter } from './writer';

/** API keys, the hashes of their values, and which user has which. */
export class ApiKeys {
  constructor(
    private readonly reader: RegistryReader,
    private readonly writer: RegistryWriter,
  ) {}

  create(key: ApiKey, max: number): Promise<Written<ApiKey>> {
    const { id, userId, valueHash } = key;
    return this.writer.write(async () => {
      const [user, text] = await this.reader.read(['users', at(userId)], ['user-api-keys', at(userId)]);
      if (user === undefined) return 'ABSENT';
      const ids = keyIds(text);
      if (ids.length >= max) return 'LIMIT';
      const commit = new Commit()
        .unchanged('user-api-keys', userId, text)
        .present('users', userId, 'ABSENT')
        .absent('api-keys-by-hash', valueHash, 'CREDENTIALS_TAKEN')
        .absent('api-keys', id, 'VERSION')
        .set('api-keys', id, JSON.stringify(key))
        .set('api-keys-by-hash', valueHash, id)
        .set('user-api-keys', userId, keyIdsText([...ids, id]));
      return { value: key, commit };
    });
  }

  update(key: ApiKey): Promise<Written<ApiKey>> {
    const { id } = key;
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['api-keys', at(id)]);
      const stored = parseApiKey(text);
      if (!stored) return 'ABSENT';
      if (stored.version !== key.version) return 'VERSION';
      const { userId, valueHash } = stored;
      const value = { ...key, userId, valueHash, version: stored.version + 1 };
      const commit = new Commit()
        .unchanged('api-keys', id, text)
        .set('api-keys', id, JSON.stringify(value))
        .tell({ kind: 'user', userId });
      return { value, commit };
    });
  }

  delete(id: Uuid): Promise<Written<ApiKey>> {
    return this.writer.write(async () => {
      const [text] = await this.reader.read(['api-keys', at(id)]);
      const stored = parseApiKey(text);
      if (!stored) return 'ABSENT';
      const { userId, valueHash } = stored;
      const [listed] = await this.reader.read(['user-api-keys', at(userId)]);
      const left = keyIds(listed).filter((other) => other !== id);
      const commit = new Commit()
        .unchanged('api-keys', id, text)
        .unchanged('user-api-keys', userId, listed)
        .remove('api-keys', id)
        .remove('api-keys-by-hash', valueHash)
        .tell({ kind: 'user', userId });
      if (left.length > 0) commit.set('user-api-keys', userId, keyIdsText(left));
      else commit.remove('user-api-keys', userId);
      return { value: stored, commit };
    });
  }

  async get(id: Uuid): Promise<ApiKey | undefined> {
    const [text] = await this.reader.read(['api-keys', at(id)]);
    return parseApiKey(text);
  }

  async find(valueHash: string): Promise<ApiKey | undefined> {
    const [, text] = await this.reader.read(['api-keys-by-hash', at(valueHash)], ['api-keys', foundBy(1)]);
    return parseApiKey(text);
  }

  async list(userId: Uuid, query: PageQuery): Promise<Page<ApiKey>> {
    const [listed] = await this.reader.read(['user-api-keys', at(userId)]);
    const ids = keyIds(listed);
    if (ids.length === 0) return page<ApiKey>([], query);
    const texts = await this.reader.read(...ids.map((id): Step => ['api-keys', at(id)]));
    return page(
      inOrderOf(
        texts.flatMap((text) => parseApiKey(text) ?? []),
        'id',
      ),
      query,
      'description',
    );
  }
}
