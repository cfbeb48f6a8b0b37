import { execFileSync } from 'node:child_process';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type RedisAddress, systemClock } from '@tandem/core';
import { openClient } from '../client';
import { closeClient } from '../client/connections';
import { type RedisServer, type RedisServerOptions, startRedis } from '../testing/redis-server';
import { reservePort } from '../testing/reserve-port';
import { type AwaitRedisOptions, awaitRedis } from './await-redis';
import { RedisRefusedError } from './refused-error';
import { Log, optionsFor } from './testing/log';

const servers: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function redis(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

const persistent = () => redis({ appendonly: 'everysec' });

/** Waits for a Redis until the log says this, and then no longer. */
async function waitFor(address: RedisAddress, pattern: RegExp, extra?: Partial<AwaitRedisOptions>): Promise<Log> {
  const log = new Log();
  const abort = new AbortController();
  const waiting = awaitRedis({ ...optionsFor(address, log, extra), signal: abort.signal });
  const outcome = waiting.then(
    () => 'found',
    (error: unknown) => error,
  );
  await log.said(pattern);
  abort.abort(new Error('enough'));
  expect(await outcome).toEqual(new Error('enough'));
  return log;
}

describe('A Redis that is fit', () => {
  it('is taken without a word', async () => {
    const log = new Log();
    expect(await awaitRedis(optionsFor((await persistent()).address, log))).toMatchObject({ cluster: false });
    expect(log.lines).toEqual([]);
  });

  it('may want a password, and be asked for another database', async () => {
    const server = await redis({ appendonly: 'always', password: 'hunter2' });
    const log = new Log();
    const address = { ...server.address, database: 3 };
    await awaitRedis(optionsFor(address, log, { durability: 'power' }));
    await awaitRedis(optionsFor({ ...address, username: 'default' }, log));
    expect(log.lines).toEqual([]);
  });
});

describe('A Redis that cannot be used yet', () => {
  it('is tried until it is there; the log says once why, and when it is over', async () => {
    const server = await persistent();
    await server.kill9();
    const log = new Log();
    const heard: string[] = [];
    let tries = 0;
    const thrice = new Promise<void>((resolve) => {
      const onWaiting = (reason: string) => {
        heard.push(reason);
        if (++tries === 3) resolve();
      };
      servers.push({ stop: async () => void (await found.catch(() => {})) });
      const found = awaitRedis(optionsFor(server.address, log, { onWaiting }));
    });
    await thrice;
    const reason = `127.0.0.1:${server.port} refuses the connection: is Redis running there? (REDIS_URL)`;
    expect(new Set(heard)).toEqual(new Set([reason]));
    expect(log.lines).toEqual([{ level: 'error', message: 'Redis cannot be used yet; trying on', reason }]);
    await server.restart();
    await log.said(/^Redis answers/);
    expect(log.lines).toHaveLength(2);
  });

  it('is told of again after ten seconds', async () => {
    const { port, release } = await reservePort();
    let now = 0;
    const clock = {
      ...systemClock,
      monotonic: () => now,
      setTimer: (delay: number, fire: () => void) => {
        now += delay;
        return systemClock.setTimer(1, fire);
      },
    };
    const log = new Log();
    const abort = new AbortController();
    const address = { ...noServer, nodes: [{ host: '127.0.0.1', port }] };
    const onWaiting = () => {
      if (now > 25_000) abort.abort(new Error('enough'));
    };
    await expect(awaitRedis(optionsFor(address, log, { clock, onWaiting, signal: abort.signal }))).rejects.toThrow(
      'enough',
    );
    expect(log.lines).toHaveLength(3);
    release();
  });

  it('because the password is wrong, or missing, or not wanted: without showing it', async () => {
    const server = await redis({ appendonly: 'everysec', password: 'hunter2' });
    const wrong = { ...server.address, password: 'hunter3' };
    const log = await waitFor(wrong, /refuses the user name or the password/);
    await waitFor({ ...wrong, username: 'nobody' }, /refuses the user name or the password/);
    await waitFor({ ...wrong, password: undefined }, /wants a password/);
    await waitFor({ ...(await persistent()).address, password: 'hunter3' }, /wants no password, but one is given/);
    expect(JSON.stringify(log.lines)).not.toContain('hunter');
  });

  it('because its host name is not known', async () => {
    const address = { ...noServer, nodes: [{ host: 'no.such.host.invalid', port: 6379 }] };
    await waitFor(address, /no\.such\.host\.invalid:6379 is not known: the host name does not resolve/);
  });

  it('because it holds its breath', async () => {
    const server = await persistent();
    server.pause();
    await waitFor(server.address, /accepts the connection but does not answer/, { timeout: 200 });
    server.resume();
  });

  it('because it is loading its data', async () => {
    const server = await redis({
      appendonly: 'everysec',
      args: ['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024', '--rdbcompression', 'no'],
    });
    await server.cli('DEBUG', 'POPULATE', '20000', 'key', '200');
    await server.cli('BGREWRITEAOF');
    while (!(await server.cli('INFO', 'persistence')).includes('aof_rewrite_in_progress:0')) await nextTurn();
    await server.kill9();
    const restarted = server.restart();
    const log = await waitFor(server.address, /is loading its data \(\d/);
    // However far it has got.
    expect(log.lines.filter(({ reason }) => /is loading/.test(String(reason)))).toHaveLength(1);
    await server.kill9();
    await expect(restarted).rejects.toThrow('redis-server ended');
  });

  it('because it is a replica', async () => {
    const master = await persistent();
    const replica = await redis({ appendonly: 'everysec', args: ['--replicaof', `127.0.0.1 ${master.port}`] });
    await waitFor(replica.address, /is a replica, which takes no writes/);
  });

  it('because another program is there', async () => {
    const server = await listener((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await waitFor(server, /does not speak as Redis does/);
  });

  it('because its user may not look at it', async () => {
    const server = await persistent();
    await server.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-info');
    await waitFor({ ...server.address, username: 'app', password: 'pw' }, /does not let this user look at it: INFO/);
  });

  it('because its user may not do what a gateway does: the log names all that is missing', async () => {
    const server = await persistent();
    const waitForUser = (username: string, missing: RegExp) =>
      waitFor({ ...server.address, username, password: 'pw' }, missing, { prefix: 'tandem', waitReplicas: 1 });
    const commands = ['-evalsha', '-wait', '-pubsub', '-publish', '-subscribe'];
    await server.cli('ACL', 'SETUSER', 'some', 'on', '>pw', '~tandem:*', '&tandem:*', '+@all', ...commands);
    await waitForUser('some', / does not let this user do EVALSHA, WAIT, PUBSUB, PUBLISH, SUBSCRIBE \(REDIS_URL\)/);
    await server.cli('ACL', 'SETUSER', 'other', 'on', '>pw', '~other:*', '&other:*', '+@all');
    await waitForUser('other', / do EVAL on tandem:\*, EVALSHA on tandem:\*, PUBLISH on tandem:\*, SUBSCRIBE on/);
    await server.cli('ACL', 'SETUSER', 'right', 'on', '>pw', '~tandem:*', '&tandem:*', '+@all');
    const address = { ...server.address, username: 'right', password: 'pw' };
    const log = new Log();
    await awaitRedis(optionsFor(address, log, { prefix: 'tandem' }));
    expect(log.lines).toEqual([]);
  });

  it('because one side speaks TLS and the other does not, or its certificate is not trusted', async () => {
    const plain = await persistent();
    await waitFor({ ...plain.address, tls: true }, /does it speak TLS\?/);

    const folder = plain.folder;
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-days', '2', '-nodes', '-keyout', key, '-out', cert];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject], { stdio: 'ignore' });
    const { port, release } = await reservePort();
    const files = [
      '--tls-cert-file',
      cert,
      '--tls-key-file',
      key,
      '--tls-ca-cert-file',
      cert,
      '--tls-auth-clients',
      'no',
    ];
    await redis({ appendonly: 'everysec', args: ['--tls-port', String(port), ...files], release });
    const address = { ...noServer, nodes: [{ host: '127.0.0.1', port }] };
    await waitFor(address, /closes the connection: does it speak TLS only \(rediss:\/\/\)\?/);
    await waitFor({ ...address, tls: true }, /has a certificate nobody trusts here/);
  });
});

describe('A Redis is refused', () => {
  const refusal = async (server: RedisAddress, extra?: Partial<AwaitRedisOptions>): Promise<string> => {
    const log = new Log();
    const error: unknown = await awaitRedis(optionsFor(server, log, extra)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RedisRefusedError);
    expect(log.lines).toEqual([]);
    return (error as Error).message;
  };

  it('when it is too old', async () => {
    const info = 'redis_version:6.2.1\r\nredis_mode:standalone\r\nrole:master\r\naof_enabled:1\r\n';
    const old = await listener((socket) => {
      socket.on('data', (data) => {
        if (data.toString().toUpperCase().includes('INFO')) socket.write(`$${info.length}\r\n${info}\r\n`);
        else socket.write('-ERR unknown command\r\n');
      });
    });
    expect(await refusal(old)).toBe(
      `Redis 6.2.1 at 127.0.0.1:${old.nodes[0]?.port} is too old: 7.0 is needed (REDIS_URL)`,
    );
  });

  it('when it throws keys away that nobody has deleted', async () => {
    const args = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'];
    const server = await redis({ appendonly: 'everysec', args });
    expect(await refusal(server.address)).toMatch(/has maxmemory-policy allkeys-lru: .*set it to noeviction$/);
  });

  it('when power failures are to be survived and it does not write at once', async () => {
    const power = { durability: 'power' } as const;
    expect(await refusal((await persistent()).address, power)).toMatch(
      /has appendfsync everysec: .*appendfsync always$/,
    );
    expect(await refusal((await redis()).address, power)).toMatch(/keeps no append-only file: TANDEM_DURABILITY=power/);
  });

  it('when it does not have the database', async () => {
    const { address } = await persistent();
    expect(await refusal({ ...address, database: 16 })).toBe('Redis has no database 16 (REDIS_URL)');
  });

  it('when several nodes are named and it is no Cluster', async () => {
    const { address } = await persistent();
    expect(await refusal({ ...address, nodes: [...address.nodes, ...address.nodes] })).toMatch(/is no Cluster/);
    // The one that was found is named, not one that is away.
    const { port, release } = await reservePort();
    expect(await refusal({ ...address, nodes: [{ host: '127.0.0.1', port }, ...address.nodes] })).toBe(
      `Several nodes are named, but Redis at 127.0.0.1:${address.nodes[0]?.port} is no Cluster (REDIS_URL)`,
    );
    release();
  });
});

describe('A warning is written', () => {
  const warnings = async (server: RedisAddress, extra?: Partial<AwaitRedisOptions>): Promise<string[]> => {
    const log = new Log();
    await awaitRedis(optionsFor(server, log, extra));
    expect(log.warnings).toHaveLength(log.lines.length);
    return log.warnings;
  };

  it('when a restart of Redis would lose everything', async () => {
    const said = await warnings((await redis()).address);
    expect(said).toEqual([expect.stringMatching(/keeps no append-only file: when it restarts, .*set appendonly yes$/)]);
  });

  it('when it throws away what expires, or would with a maxmemory', async () => {
    const volatile = ['--maxmemory', '100mb', '--maxmemory-policy', 'volatile-ttl'];
    const later = ['--maxmemory-policy', 'allkeys-lfu'];
    expect(await warnings((await redis({ appendonly: 'everysec', args: volatile })).address)).toEqual([
      expect.stringContaining('maxmemory-policy volatile-ttl: it throws away what carries an expiry'),
    ]);
    expect(await warnings((await redis({ appendonly: 'everysec', args: later })).address)).toEqual([
      expect.stringContaining('it has no maxmemory now, so nothing is thrown away yet'),
    ]);
  });

  it('when there are fewer replicas than have to acknowledge', async () => {
    const said = await warnings((await persistent()).address, { waitReplicas: 2 });
    expect(said).toEqual([
      expect.stringMatching(/has 0 connected replicas, and TANDEM_REDIS_WAIT_REPLICAS asks for 2/),
    ]);
  });

  it('when it does not let itself be asked how it writes', async () => {
    const server = await redis({ appendonly: 'always' });
    await server.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-config');
    const address = { ...server.address, username: 'app', password: 'pw' };
    expect(await warnings(address, { durability: 'power' })).toEqual([
      expect.stringMatching(/does not let appendfsync be read \(CONFIG GET\)/),
    ]);
  });
});

it('a Redis that comes back as an unfit one is told of, and so is one that got well and fell ill again', async () => {
  const server = await redis({ appendonly: 'always' });
  const log = new Log();
  const options = optionsFor(server.address, log, { durability: 'power' });
  const found = await awaitRedis(options);
  const client = openClient({ address: server.address, cluster: found.cluster, timeout: 1_000 }, log.logger);
  const end = found.watch(client);
  await client.ping();
  await server.cli('CONFIG', 'SET', 'appendfsync', 'everysec');
  expect(log.lines).toEqual([]);
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  const line = await log.said(/^Redis is not fit to hold the state any more .*has appendfsync everysec/);
  expect(line.level).toBe('error');
  expect(await client.ping()).toBe('PONG');
  end();
  await closeClient(client);
});

it('a Redis that is set to something else while it runs is told of within a minute', async () => {
  const server = await redis({ appendonly: 'everysec', args: ['--maxmemory', '100mb'] });
  const log = new Log();
  let minute: (() => void) | undefined;
  const clock = {
    ...systemClock,
    setTimer: (delay: number, fire: () => void) => {
      if (delay !== 60_000) return systemClock.setTimer(delay, fire);
      minute = fire;
      return { cancel: () => {} };
    },
  };
  const found = await awaitRedis(optionsFor(server.address, log, { clock }));
  const client = openClient({ address: server.address, cluster: false, timeout: 1_000 }, log.logger);
  await client.ping();
  const end = found.watch(client);
  await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
  minute?.();
  await log.said(/^Redis is not fit to hold the state any more .*maxmemory-policy allkeys-lru/);
  end();
  await closeClient(client);
});

const noServer: RedisAddress = { nodes: [], tls: false, username: undefined, password: undefined, database: 0 };
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A program on a free port that is not Redis. */
async function listener(connected: (socket: Socket) => void): Promise<RedisAddress> {
  const { port, release } = await reservePort();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  servers.push({
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          release();
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  });
  return { ...noServer, nodes: [{ host: '127.0.0.1', port }] };
}
