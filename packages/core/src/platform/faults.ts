import type { Clock, Millis, Timer } from './clock';
import type { LogFields, Logger } from './logger';

const WINDOW: Millis = 1_000;

/** A line of this window, and how many faults besides its own were answered with its id. */
interface Line {
  readonly message: string;
  readonly correlationId: string;
  more: number;
}

/**
 * The lines of the gateway's faults. Every id that is answered stands in one of them; while there are more faults than lines may be
 * written, those that are like one of the lines are answered with its id, and a line tells how many those were.
 */
export class Faults {
  /** Those of this window by what they tell, oldest first. */
  readonly #lines = new Map<string, Line>();
  #timer: Timer | undefined;

  /** @param max lines in a second, besides those that say how many more there were */
  constructor(
    private readonly logger: Logger,
    private readonly clock: Clock,
    private readonly max = 20,
  ) {}

  /**
   * @param error what happened, with its stack where it has one
   * @returns the id to be answered
   */
  write(message: string, correlationId: string, error: string, fields: LogFields): string {
    this.#timer ??= this.clock.setTimer(WINDOW, () => this.#endWindow());
    if (this.#lines.size < this.max) {
      // Each has a line while there is room, whatever it is like.
      this.#lines.set(correlationId, { message: `${message} ${firstLine(error)}`, correlationId, more: 0 });
      this.logger.error(message, { ...fields, correlationId, error });
      return correlationId;
    }
    const line = this.#like(`${message} ${firstLine(error)}`);
    line.more++;
    return line.correlationId;
  }

  /** The newest line that tells the same, else the newest of all. */
  #like(message: string): Line {
    const lines = [...this.#lines.values()].reverse();
    return (lines.find((line) => line.message === message) ?? lines[0]) as Line;
  }

  #endWindow(): void {
    this.#timer = undefined;
    for (const { message, correlationId, more } of this.#lines.values()) {
      if (more > 0) this.logger.error('more faults were answered with this id', { message, correlationId, more });
    }
    this.#lines.clear();
  }
}

const firstLine = (text: string): string => text.slice(0, 200).split('\n', 1)[0] as string;
