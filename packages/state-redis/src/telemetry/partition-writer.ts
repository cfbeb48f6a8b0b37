import { type Clock, type Counter, type Logger, type Millis, TandemError } from '@tandem/core';
import { isPassing, storeFailure } from '../client';
import { Batch, pauseBefore } from './batch';
import { type AppendReply, type BatchSender, TooFewReplicasError } from './batch-sender';

const RETRY_AFTER: Millis = 1_000;
/** How long Redis remembers a writer: longer than a copy of a batch can be on its way. */
const WRITER_MEMORY: Millis = 3_600_000;

export interface PartitionWriterOptions {
  /** The stream, and the hash of this writer. */
  readonly keys: readonly [stream: string, writer: string];
  readonly sender: BatchSender;
  /** From a batch's first message to its end, one way or the other. */
  readonly timeout: Millis;
  readonly backlogMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Has `flush` called in this turn of the event loop. */
  readonly schedule: () => void;
  /** Batches may be settled before Redis answers; what it answers counts still. */
  readonly answered: (newestId: string, length: number) => void;
  /** Messages that Redis does not take for being more than may wait. */
  readonly refused: Counter;
  readonly done: (entries: number, bytes: number, accepted: boolean) => void;
}

/**
 * The way of messages to one partition. At most one batch is under way: so none overtakes another, however often it has to
 * be sent, and the number of the last one is all that Redis has to remember to take each once.
 */
export class PartitionWriter {
  /** The first one is under way, or about to be sent again. */
  readonly #queue: Batch[] = [];
  #underWay: Batch | undefined;
  #number = 0;

  constructor(private readonly options: PartitionWriterOptions) {}

  add(device: string, text: string, bytes: number): Promise<void> {
    let batch = this.#queue.at(-1);
    if (!batch || batch.full || batch.number !== undefined) {
      batch = new Batch();
      this.#queue.push(batch);
      const created = batch;
      batch.timer = this.options.clock.setTimer(this.options.timeout, () => this.#giveUp(created));
      if (!this.#underWay) this.options.schedule();
    }
    batch.add(device, text, bytes);
    return batch.committed;
  }

  /** Sends the next batch unless one is under way. */
  flush(): void {
    const [batch] = this.#queue;
    if (this.#underWay || !batch) return;
    this.#underWay = batch;
    this.#number++;
    batch.number = this.#number;
    this.#send(batch);
  }

  /** Refuses all that was not answered. */
  giveUp(): void {
    for (const batch of [...this.#queue]) this.#giveUp(batch);
  }

  #send(batch: Batch): void {
    const { sender, keys, backlogMax } = this.options;
    batch.attempts++;
    sender.send(keys, [batch.number ?? 0, WRITER_MEMORY, backlogMax, ...batch.texts]).then(
      (reply) => this.#answer(batch, reply),
      (error: unknown) => this.#failed(batch, error),
    );
  }

  #answer(batch: Batch, [outcome, newestId, length]: AppendReply): void {
    this.options.answered(newestId, length);
    const full = outcome === 'full';
    if (full) this.options.refused.add(batch.entries);
    this.#end(batch, full ? new TandemError('BACKLOG_FULL', { retryAfter: RETRY_AFTER }) : undefined);
  }

  #failed(batch: Batch, error: unknown): void {
    if (batch !== this.#underWay) return;
    if (isPassing(error) || error instanceof TooFewReplicasError) {
      this.options.clock.setTimer(pauseBefore(batch.attempts), () => {
        if (batch === this.#underWay) this.#send(batch);
      });
    } else {
      this.#end(batch, storeFailure(error, this.options.logger));
    }
  }

  /** Nobody knows whether Redis has it, or will. */
  #giveUp(batch: Batch): void {
    this.#end(batch, new TandemError('STORE_UNAVAILABLE', { retryAfter: RETRY_AFTER }));
  }

  #end(batch: Batch, failure: TandemError | undefined): void {
    const at = this.#queue.indexOf(batch);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    batch.timer?.cancel();
    if (batch === this.#underWay) {
      this.#underWay = undefined;
      if (this.#queue.length > 0) this.options.schedule();
    }
    this.options.done(batch.entries, batch.bytes, failure === undefined);
    batch.settle(failure);
  }
}
