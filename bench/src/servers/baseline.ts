import path from 'node:path';
import { Child } from './child';
import { deviceTokens, type Protocol, type ServerUnderTest } from './server-under-test';

export interface BaselineOptions {
  readonly name: string;
  readonly protocol: Protocol;
  /** The log it appends each payload to before it answers, as arguments: see baselines/append-log.ts. */
  readonly log: readonly string[];
  /** Fresh folder for its output. */
  readonly folder: string;
  readonly devices: number;
  readonly core: number | undefined;
}

export async function startBaseline(options: BaselineOptions): Promise<ServerUnderTest> {
  const script = path.join(__dirname, '..', 'baselines', `${options.protocol}-baseline.js`);
  const child = new Child({
    command: process.execPath,
    args: [script, ...options.log],
    env: process.env,
    logFile: path.join(options.folder, 'output.log'),
    core: options.core,
    ipc: true,
  });
  const { port } = (await child.message()) as { port: number };
  return {
    name: options.name,
    pid: child.pid,
    host: '127.0.0.1',
    port,
    tokens: deviceTokens(options.devices),
    ended: () => child.ended(),
    stop: () => child.stop(),
  };
}
