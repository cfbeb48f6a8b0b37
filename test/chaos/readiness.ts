import { Loop } from './patience';
import type { World } from './world';

/** Asks every gateway twenty times a second whether it is ready. */
export class ReadinessWatch {
  readonly #down = new Set<number>();
  readonly #loops: Loop[];

  constructor(private readonly world: World) {
    this.#loops = [0, 1].map(
      (index) =>
        new Loop(async () => {
          if ((await readiness(world, index)) === 503) this.#down.add(index);
          return true;
        }, 50),
    );
  }

  /** Whether every gateway said at least once that it is not ready. */
  get wentDown(): boolean {
    return this.#down.size === this.world.gateways.length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }
}

/** The status of `/readyz`; 0 where nobody answers. */
export async function readiness(world: World, index: number): Promise<number> {
  const port = world.gateways[index === 0 ? 0 : 1].metrics;
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 0,
  );
}
