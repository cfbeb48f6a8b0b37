import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Identity } from '../security/pki';
import { eventually } from '../support/eventually';
import { ROOT } from '../support/gateway-process';

/** Where a proxy finds and keeps things in a test. */
export interface Place {
  readonly folder: string;
  /** Its own. */
  readonly port: number;
  readonly gateway: { readonly http: number; readonly metrics: number };
  readonly server: Identity;
}

/** What it writes to its log, and how to end it. */
export interface RunningProxy {
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** The text of an example. */
export const example = (...path: string[]) => readFileSync(join(ROOT, 'deploy', ...path), 'utf8');

/** The text with other ports and files in it, each of which has to be there. */
function replaced(text: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`the example has no "${from}"`);
    return changed.replaceAll(from, to);
  }, text);
}

/** nginx with the example included, as on Debian. Around it stand limits that cut off whatever the example forgets to lift. */
export async function startNginx({ folder, port, gateway, server }: Place): Promise<RunningProxy> {
  const log = join(folder, 'access.log');
  const errors = join(folder, 'error.log');
  const included = replaced(example('nginx', 'tandem.conf'), {
    'listen 443 ssl': `listen ${port} ssl`,
    'listen [::]:443 ssl': `listen [::]:${port} ssl`,
    '127.0.0.1:8080': `127.0.0.1:${gateway.http}`,
    '127.0.0.1:8081': `127.0.0.1:${gateway.http}`,
    '/etc/nginx/tls/fullchain.pem': server.chainFile,
    '/etc/nginx/tls/privkey.pem': server.keyFile,
    '/var/log/nginx/tandem.log': log,
    '/var/log/nginx/tandem-error.log': errors,
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${join(folder, what)};`,
  );
  writeFileSync(join(folder, 'tandem.conf'), included);
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${join(folder, 'nginx.pid')}; error_log ${errors} crit;
events { worker_connections 256; }
http {
  ${temporary.join('\n  ')}
  client_max_body_size 1k;
  proxy_read_timeout 1s;
  proxy_send_timeout 1s;
  include ${join(folder, 'tandem.conf')};
}
`,
  );
  const child = spawn('nginx', ['-p', folder, '-e', errors, '-c', join(folder, 'nginx.conf')]);
  return started(child, port, () => `${readFileSync(log, 'utf8')}${readFileSync(errors, 'utf8')}`);
}

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Whether this nginx can do what is below HTTP: on Debian a package of its own. */
export const hasNginxStream = (): boolean => existsSync(STREAM_MODULE);

export interface StreamPlace {
  readonly folder: string;
  /** TCP for TLS, and UDP for CoAP. */
  readonly tls: number;
  readonly coap: number;
  readonly gateway: { readonly http: number; readonly coap: number };
}

/** nginx with the example for what is below HTTP. */
export async function startNginxStream({ folder, tls, coap, gateway }: StreamPlace): Promise<RunningProxy> {
  const included = replaced(example('nginx', 'stream.conf'), {
    'listen 8883': `listen ${tls}`,
    '127.0.0.1:8443': `127.0.0.1:${gateway.http}`,
    'listen 5683 udp': `listen ${coap} udp`,
    '127.0.0.1:15683': `127.0.0.1:${gateway.coap}`,
  });
  const errors = join(folder, 'error.log');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${STREAM_MODULE};
daemon off; master_process off; pid ${join(folder, 'nginx.pid')}; error_log ${errors};
events { worker_connections 256; }
${included}`,
  );
  const child = spawn('nginx', ['-p', folder, '-e', errors, '-c', join(folder, 'nginx.conf')]);
  return started(child, tls, () => readFileSync(errors, 'utf8'));
}

/** HAProxy with the example; it looks at the gateway more often. */
export async function startHaproxy({ folder, port, gateway, server }: Place): Promise<RunningProxy> {
  const pem = join(folder, 'tandem.pem');
  writeFileSync(pem, server.chain + server.key);
  const config = replaced(example('haproxy', 'haproxy.cfg'), {
    'bind :443': `bind 127.0.0.1:${port}`,
    '127.0.0.1:8080 port 9101': `127.0.0.1:${gateway.http} port ${gateway.metrics}`,
    '127.0.0.1:8081 port 9102': `127.0.0.1:${gateway.http} port ${gateway.metrics}`,
    '/etc/haproxy/tls/tandem.pem': pem,
    'inter 2s': 'inter 200ms',
  });
  writeFileSync(join(folder, 'haproxy.cfg'), config);
  return started(spawn('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')]), port, () => '');
}

async function started(child: ChildProcess, port: number, log: () => string): Promise<RunningProxy> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`it ended: ${said}`);
      return (await accepts(port)) ? undefined : 'nobody listens';
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { log: () => said + log(), stop };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
