import type { Round } from './round';
import type { SubscriberConnection } from './subscriber-connection';

/** @param channel its name, so that one function can listen to many channels */
export type ChannelListener = (message: string, channel: string) => void;

/** A channel somebody listens to, and how far the subscription is. */
export class Channel {
  /** Where the subscription is, or has been asked for. */
  connection: SubscriberConnection | undefined;
  /** The subscription has been asked for and is not confirmed yet. */
  round: Round | undefined;
  /** Messages may have been missed: the listener is told when the subscription is confirmed. */
  missed = false;
  /** False when nobody listens any more. */
  wanted = true;

  constructor(
    readonly name: string,
    /** Decides the node of a Cluster. */
    readonly slot: number,
    readonly listener: ChannelListener,
  ) {}
}
