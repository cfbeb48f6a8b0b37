import { Loop } from './patience';
import type { Site } from './site';

/** Asks every process twenty times a second whether it is ready. */
export class ReadinessWatch {
  readonly #down = new Set<number>();
  readonly #loops: Loop[];

  constructor(private readonly site: Site) {
    this.#loops = site.processes.map(
      (_, index) =>
        new Loop(async () => {
          if ((await readiness(site, index)) === 503) this.#down.add(index);
          return true;
        }, 50),
    );
  }

  /** Whether every process said at least once that it is not ready. */
  get wentDown(): boolean {
    return this.#down.size === this.site.processes.length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}

/** The status of `/readyz`; 0 where nobody answers. */
export async function readiness(site: Site, index: number): Promise<number> {
  const port = site.processes[index]?.metrics;
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 0,
  );
}
