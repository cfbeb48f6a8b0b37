import type { Server } from 'node:http';
import type { Settings } from '@tandem/core';
import { listen } from '@tandem/http-transport';

/** @returns the port. @throws Error that names the setting whose port cannot be had */
export async function bind(
  server: Server,
  host: string,
  setting: 'HTTP_BIND_PORT' | 'TANDEM_METRICS_PORT',
  settings: Settings,
): Promise<number> {
  try {
    return (await listen(server, { host, port: settings[setting] })).port;
  } catch (error) {
    throw new Error(`${(error as Error).message} (${setting})`, { cause: error });
  }
}
