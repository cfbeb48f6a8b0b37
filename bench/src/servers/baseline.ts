import path from 'node:path';
import { Child } from './child';
import { deviceTokens, type ServerUnderTest } from './server-under-test';

export interface BaselineOptions {
  readonly name: string;
  /** In the folder `baselines`. */
  readonly script: 'http-baseline' | 'coap-baseline' | 'express-baseline';
  /** Of the first two: the log each payload is appended to before the answer, see baselines/append-log.ts. */
  readonly args: readonly string[];
  /** Folder for its output. */
  readonly folder: string;
  readonly devices: number;
  readonly core: number | undefined;
}

export async function startBaseline(options: BaselineOptions): Promise<ServerUnderTest> {
  const script = path.join(__dirname, '..', 'baselines', `${options.script}.js`);
  const child = new Child({
    command: process.execPath,
    args: [script, ...options.args],
    env: process.env,
    logFile: path.join(options.folder, 'baseline.log'),
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
