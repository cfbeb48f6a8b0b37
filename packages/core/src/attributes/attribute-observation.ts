import type { Observer } from '../devices/observers';
import { renderObject } from '../payload/value';
import type { AttributeSnapshot } from '../state/attribute-store';
import type { Position } from '../state/device-events';
import type { MissedUpdates } from './missed-updates';

/** Events that one notification can merge. */
const BATCH = 100;

/** An observation of the shared attributes of one device. There are tens of thousands: it keeps no more than it needs. */
export class AttributeObservation {
  #snapshot: string;
  #position: Position;
  /** The keys the device has. */
  #told: readonly string[];

  /** @param start what the observation goes on from */
  constructor(
    private readonly observer: Observer,
    private readonly missed: MissedUpdates,
    start: AttributeSnapshot,
  ) {
    this.#snapshot = renderObject(start.attributes);
    this.#position = start.position;
    this.#told = keys(start.attributes.map(({ key }) => key));
  }

  /** All shared attributes, flat (contract 2.6.1), until `begin`. */
  get snapshot(): string {
    return this.#snapshot;
  }

  /** To be called when the snapshot has been sent: the one of this process that was there before ends. */
  begin(): void {
    this.#snapshot = '';
    this.observer.begin();
  }

  /** What changed since the snapshot or the last call, merged into one flat object; undefined when nothing did. */
  async next(): Promise<string | undefined> {
    const { observer } = this;
    if (observer.over) return undefined;
    const missed = await this.missed.after(observer.deviceId, this.#position, BATCH, this.#told);
    if (!missed) return undefined;
    this.#position = missed.position;
    this.#told = keys(missed.delta.appliedTo(this.#told));
    return missed.delta.empty ? undefined : missed.delta.render();
  }

  close(): void {
    this.observer.close();
  }
}

const NONE: readonly string[] = [];
const keys = (told: readonly string[]): readonly string[] => (told.length === 0 ? NONE : told);
