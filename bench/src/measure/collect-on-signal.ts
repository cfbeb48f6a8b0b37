import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a gateway before its program (`node --require`): SIGUSR2 collects the garbage of its main thread. What a
 * process at rest has not collected yet says nothing about what it has to keep. Not by
 * `HeapProfiler.collectGarbage` of node:inspector: a gateway on Node 20 stood still after it.
 */
if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  process.on('SIGUSR2', () => collect());
}
