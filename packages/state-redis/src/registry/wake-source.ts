/** The subscriptions of this process, as far as the registry needs them. */
export interface WakeSource {
  /**
   * Called with every message on the channel, unless it is lost on the way.
   * @returns stops listening
   */
  onWake(channel: string, listener: (message: string) => void): () => void;
  /**
   * Called when messages may have been lost: the connection was away and is back.
   * @returns stops listening
   */
  onReconnect(listener: () => void): () => void;
}
