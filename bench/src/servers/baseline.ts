import path from 'node:path';
import { Child } from './child';
import { deviceTokens, type Protocol, type ServerUnderTest } from './server-under-test';

export interface BaselineOptions {
  readonly name: string;
  readonly protocol: Protocol;
  /** Whether it appends each payload to a log before it answers. */
  readonly append: boolean;
  /** Whether that log is flushed to disk behind each commit. */
  readonly flush: boolean;
  /** Fresh folder for its log and its output. */
  readonly folder: string;
  readonly devices: number;
  readonly core: number | undefined;
}

export async function startBaseline(options: BaselineOptions): Promise<ServerUnderTest> {
  const script = path.join(__dirname, '..', 'baselines', `${options.protocol}-baseline.js`);
  const child = new Child({
    command: process.execPath,
    args: options.append ? [script, path.join(options.folder, 'log'), options.flush ? 'flush' : 'no-flush'] : [script],
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
