import type { Observer } from '../devices/observers';
import { type AnswerFormat, type WrittenMessage, writeIn } from '../payload/format/index';
import type { AttributeSnapshot } from '../state/attribute-store';
import type { Position } from '../state/device-events';
import type { MissedUpdates } from './missed-updates';

/** Events that one notification can merge. */
const BATCH = 100;

/** A message to an observer. */
export interface ObservedMessage extends WrittenMessage {
  /** In which what it tells was sent; undefined where nothing is traced. */
  readonly traces?: readonly string[];
}

/** An observation of the shared attributes of one device. There are tens of thousands: it keeps no more than it needs. */
export class AttributeObservation {
  #position: Position;
  /** The keys the device has. */
  #told: readonly string[];

  /** @param start what the observation goes on from */
  constructor(
    private readonly observer: Observer,
    private readonly missed: MissedUpdates,
    private readonly answers: AnswerFormat,
    start: AttributeSnapshot,
  ) {
    this.#position = start.position;
    this.#told = keys(start.attributes.map(({ key }) => key));
  }

  /** To be called when the snapshot has been sent: the one of this process that was there before ends. */
  begin(): void {
    this.observer.begin();
  }

  /** What changed since the snapshot or the last call, merged into one message; undefined when nothing did. */
  async next(): Promise<ObservedMessage | undefined> {
    const { observer } = this;
    if (observer.over) return undefined;
    const missed = await this.missed.after(observer.deviceId, this.#position, BATCH, this.#told);
    if (!missed) return undefined;
    const message = missed.delta.empty ? undefined : await writeIn(this.answers, missed.delta.message);
    this.#position = missed.position;
    this.#told = keys(missed.delta.appliedTo(this.#told));
    return message && missed.traces ? { ...message, traces: missed.traces } : message;
  }

  close(): void {
    this.observer.close();
  }
}

const NONE: readonly string[] = [];
const keys = (told: readonly string[]): readonly string[] => (told.length === 0 ? NONE : told);
