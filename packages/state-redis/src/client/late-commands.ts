import type { Millis } from '@tandem/core';
import type { Cluster, Redis } from 'ioredis';

interface Queued {
  readonly command: {
    readonly isSettled: boolean;
    /** Its place in its pipeline; undefined for one alone. */
    readonly pipelineIndex?: number;
    reject(error: Error): void;
  };
}

interface Queue {
  shift(): Queued | undefined;
  push(item: Queued): void;
}

/** What ioredis keeps of commands for the time after a reconnection; it has no public name for that. */
interface Queues {
  readonly offlineQueue: Queue;
  /** Sent, and not answered when the connection was lost. */
  readonly prevCommandQueue?: Queue | null;
}

const stops = new WeakMap<Redis | Cluster, () => void>();

/**
 * What waits for a connection longer than `timeout` is failed, and never sent: whoever asked was told long ago, and a write
 * that comes minutes late would overwrite what others have written in the meantime. Until `forgetCommands`.
 */
export function forgetLateCommands(client: Redis | Cluster, timeout: Millis): void {
  let late: NodeJS.Timeout | undefined;
  const stop = () => {
    clearInterval(late);
    late = undefined;
  };
  const closed = () => {
    dropSettled(client);
    late ??= setInterval(() => forget(client), timeout);
  };
  client.on('close', closed);
  client.on('ready', stop);
  client.on('end', stop);
  stops.set(client, () => {
    client.off('close', closed);
    stop();
  });
}

/** For a client that is closed for good: nothing waits for it any more. */
export function forgetCommands(client: Redis | Cluster): void {
  stops.get(client)?.();
  forget(client);
}

function forget(client: Redis | Cluster): void {
  const { offlineQueue, prevCommandQueue } = client as unknown as Queues;
  for (const queue of [prevCommandQueue, offlineQueue]) {
    for (let item = queue?.shift(); item; item = queue?.shift()) item.command.reject(new Error('Connection is closed'));
  }
}

/** Commands of a pipeline are only sent all together: so all of them have to be settled. */
function dropSettled(client: Redis | Cluster): void {
  const queue = (client as unknown as Queues).prevCommandQueue;
  if (!queue) return;
  const pipelines: Queued[][] = [];
  for (let item = queue.shift(); item; item = queue.shift()) {
    const pipeline = item.command.pipelineIndex ? pipelines.at(-1) : undefined;
    if (pipeline) pipeline.push(item);
    else pipelines.push([item]);
  }
  for (const pipeline of pipelines) {
    if (pipeline.every(({ command }) => command.isSettled)) continue;
    for (const item of pipeline) queue.push(item);
  }
}
