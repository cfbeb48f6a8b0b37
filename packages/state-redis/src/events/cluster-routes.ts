import type { Cluster } from 'ioredis';
import type { Routes } from './routes';
import type { SubscriberConnection } from './subscriber-connection';

/** The master of every slot, as `host:port`. */
type Owners = readonly (string | undefined)[];

/**
 * A Cluster: a connection to each master whose slots have channels. The map of the slots is that of the client for commands,
 * which looks after it every two seconds and when it is sent elsewhere. ioredis has sharded subscribers of its own; they do
 * not try again where a node refuses a subscription, as one does that is just being promoted, and tell nobody.
 */
export class ClusterRoutes implements Routes {
  readonly #connections = new Map<string, SubscriberConnection>();
  #owners: Owners;
  readonly #look = () => this.#refreshed();

  /**
   * @param cluster has the map of the slots
   * @param changed called when slots have other masters than before
   */
  constructor(
    private readonly cluster: Cluster,
    private readonly open: (host: string, port: number) => SubscriberConnection,
    private readonly changed: () => void,
  ) {
    this.#owners = ownersOf(cluster);
    cluster.on('refresh', this.#look);
  }

  connectionFor(slot: number): SubscriberConnection | undefined {
    const owner = this.#owners[slot];
    if (owner === undefined) return undefined;
    const connection = this.#connections.get(owner) ?? this.#connect(owner);
    return connection.ready ? connection : undefined;
  }

  isRight(connection: SubscriberConnection, slot: number): boolean {
    return this.#connections.get(this.#owners[slot] ?? '') === connection;
  }

  lookAgain(): void {
    this.cluster.refreshSlotsCache();
  }

  async close(): Promise<void> {
    this.cluster.off('refresh', this.#look);
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }

  #connect(owner: string): SubscriberConnection {
    const colon = owner.lastIndexOf(':');
    const connection = this.open(owner.slice(0, colon), Number(owner.slice(colon + 1)));
    this.#connections.set(owner, connection);
    return connection;
  }

  #refreshed(): void {
    const owners = ownersOf(this.cluster);
    if (owners.every((owner, slot) => owner === this.#owners[slot]) && owners.length === this.#owners.length) return;
    this.#owners = owners;
    this.changed();
    const masters = new Set(owners);
    for (const [owner, connection] of this.#connections) {
      if (masters.has(owner)) continue;
      this.#connections.delete(owner);
      void connection.close();
    }
  }
}

const ownersOf = ({ slots }: Cluster): Owners => slots.map((nodes) => nodes?.[0]);
