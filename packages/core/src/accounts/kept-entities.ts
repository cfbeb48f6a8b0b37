import type { Uuid } from '../devices/model';

/** A bounded number of entities in memory, by whatever finds them; the one kept longest makes room. */
export class KeptEntities<T> {
  readonly #entities = new Map<string, T>();

  /** @param about whose change drops the entity */
  constructor(
    private readonly max: number,
    private readonly about: (entity: T) => Uuid,
  ) {}

  get size(): number {
    return this.#entities.size;
  }

  get(name: string): T | undefined {
    return this.#entities.get(name);
  }

  keep(name: string, entity: T): void {
    this.#entities.set(name, entity);
    if (this.#entities.size <= this.max) return;
    const [oldest] = this.#entities.keys();
    if (oldest !== undefined) this.#entities.delete(oldest);
  }

  drop(id: Uuid): void {
    for (const [name, entity] of this.#entities) if (this.about(entity) === id) this.#entities.delete(name);
  }

  clear(): void {
    this.#entities.clear();
  }
}
