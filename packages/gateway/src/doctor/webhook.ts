import { connect } from 'node:net';
import type { Millis, Settings } from '@tandem/core';
import { type Finding, ok, warn } from './finding';

const PATIENCE: Millis = 3_000;

/** Whether somebody listens where the webhook is; nothing is sent there. */
export async function checkWebhook({ TANDEM_RPC_WEBHOOK_URL: url }: Settings): Promise<Finding[]> {
  if (url === undefined) return [];
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const about = `TANDEM_RPC_WEBHOOK_URL ${url.hostname}:${port}`;
  const failure = await reach(url.hostname.replace(/^\[(.*)\]$/, '$1'), port);
  if (failure === undefined) return [ok(about, 'takes connections')];
  return [
    warn(
      about,
      `cannot be reached from here: ${failure}`,
      'Until it can, commands of devices to it are answered with an error.',
    ),
  ];
}

function reach(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE });
    const told = (failure?: string) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => told());
    socket.once('timeout', () => told(`no answer in ${PATIENCE} ms`));
    socket.once('error', (error: NodeJS.ErrnoException) => told(error.code ?? error.message));
  });
}
