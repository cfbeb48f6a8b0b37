import { execFile } from 'node:child_process';
import { startRedis } from '../packages/state-redis/src/testing/redis-server';
import { ROOT } from './support/gateway-process';

/** Beyond it the tour is ended with all it has started. */
const LONGEST = 60_000;

describe('The tour of the server API, from login to clean-up', () => {
  it('holds on the embedded store', () => holds({}), LONGEST + 5_000);

  it(
    'holds on Redis',
    async () => {
      const redis = await startRedis();
      await holds({ REDIS_URL: redis.url }).finally(() => redis.stop());
    },
    LONGEST + 5_000,
  );
});

async function holds(environment: Record<string, string>): Promise<void> {
  const { code, output } = await tour(environment);
  expect(output).toContain('tour: all of it holds');
  expect(output).not.toContain('not ok');
  expect(code).toBe(0);
}

function tour(environment: Record<string, string>): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    // TERM goes to the script, whose trap ends the gateway it started.
    const script = execFile(
      'timeout',
      [String(LONGEST / 1000), 'sh', 'test/tour.sh'],
      { cwd: ROOT, env: { PATH: process.env.PATH, ...environment } },
      (_error, stdout, stderr) => resolve({ code: script.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}
