import type { SubscriberConnection } from './subscriber-connection';

/** Which connection a channel belongs to. */
export interface Routes {
  /** Undefined while there is none that takes subscriptions. */
  connectionFor(slot: number): SubscriberConnection | undefined;
  /** Whether a connection is the right one for a slot. */
  isRight(connection: SubscriberConnection, slot: number): boolean;
  /** Some channels have no connection: look again soon. */
  lookAgain(): void;
  close(): Promise<void>;
}

/** A standalone server: one connection for all. */
export class OneRoute implements Routes {
  constructor(private readonly connection: SubscriberConnection) {}

  connectionFor(): SubscriberConnection | undefined {
    return this.connection.ready ? this.connection : undefined;
  }

  isRight(): boolean {
    return true;
  }

  lookAgain(): void {}

  close(): Promise<void> {
    return this.connection.close();
  }
}
