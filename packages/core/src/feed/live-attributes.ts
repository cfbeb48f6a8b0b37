import type { Uuid } from '../devices/model';
import type { AttributeScope, AttributeStore } from '../state/attribute-store';
import type { FeedChange } from '../state/device-feed';
import type { FirstState, LiveEntry, LiveSource } from './live-source';

/** Attributes of a device: some scopes, and of these all or some keys. */
export class LiveAttributes implements LiveSource {
  readonly onlyNewer = false;
  readonly tellsAbsence = true;
  readonly #keys: ReadonlySet<string> | undefined;

  constructor(
    private readonly store: Pick<AttributeStore, 'read'>,
    private readonly deviceId: Uuid,
    private readonly scopes: readonly AttributeScope[],
    private readonly keys?: readonly string[],
  ) {
    this.#keys = keys && new Set(keys);
  }

  async first(): Promise<FirstState> {
    return { kind: 'state', entries: await this.again() };
  }

  async again(): Promise<LiveEntry[]> {
    const read = await Promise.all(
      this.scopes.map(async (scope) =>
        (await this.store.read(this.deviceId, scope, this.keys)).map(({ key, lastUpdateTs: ts, value }) => ({
          id: idOf(scope, key),
          key,
          ts,
          value,
        })),
      ),
    );
    return read.flat();
  }

  others(id: string): readonly string[] {
    const key = id.slice(id.indexOf(' ') + 1);
    return this.scopes.map((scope) => idOf(scope, key)).filter((other) => other !== id);
  }

  entries(change: FeedChange): LiveEntry[] {
    if (change.kind === 'telemetry' || !this.scopes.includes(change.scope)) return [];
    const { scope, ts } = change;
    if (change.kind === 'deleted') {
      const gone = change.keys.filter((key) => this.#concerns(key));
      return gone.map((key) => ({ id: idOf(scope, key), key, ts: 0, value: undefined }));
    }
    const saved = change.entries.filter(({ key }) => this.#concerns(key));
    return saved.map(({ key, value }) => ({ id: idOf(scope, key), key, ts, value }));
  }

  #concerns(key: string): boolean {
    return this.#keys?.has(key) ?? true;
  }
}

/** The key is what comes behind the space. */
const idOf = (scope: AttributeScope, key: string): string => `${scope} ${key}`;
