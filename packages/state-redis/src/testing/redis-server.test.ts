import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startRedisCluster } from './redis-cluster';
import { startRedis } from './redis-server';

it('a server keeps what it acknowledged over a kill -9, and loses it where it is to start empty', async () => {
  const server = await startRedis({ appendonly: 'always' });
  const { pid, folder } = server;
  expect(await server.cli('SET', 'a', '1')).toBe('OK');
  await server.kill9();
  await expect(server.cli('PING')).rejects.toThrow();
  await server.restart();
  expect(server.pid).not.toBe(pid);
  expect(await server.cli('GET', 'a')).toBe('1');
  await server.restart({ empty: true });
  expect(await server.cli('GET', 'a')).toBe('');
  await expect(server.cli('INCR')).rejects.toThrow(/wrong number/);
  await server.stop();
  expect(existsSync(folder)).toBe(false);
});

it('a server dies with the process that made it, also where that is killed', async () => {
  const script = `require(${JSON.stringify(join(__dirname, 'redis-server.ts'))}).startRedis().then((s) => console.log(s.port))`;
  const owner = spawn(process.execPath, ['-r', 'esbuild-register', '-e', script]);
  const [port] = (await once(owner.stdout, 'data')) as [Buffer];
  const connection = connect(Number(port), '127.0.0.1');
  await once(connection, 'connect');
  // A reset is an end as well.
  connection.on('error', () => {});
  const cut = new Promise((resolve) => connection.once('close', resolve));
  connection.resume();
  owner.kill('SIGKILL');
  await cut;
});

it('a cluster serves all slots, and a replica takes over from a master that dies', async () => {
  const cluster = await startRedisCluster({ masters: 3, replicas: 1, nodeTimeout: 1_000 });
  try {
    const master = await cluster.masterOf('key');
    const [replica] = await cluster.replicasOf(master);
    expect(await master.cli('SET', 'key', 'v')).toBe('OK');
    expect(await master.cli('WAIT', '1', '1000')).toBe('1');
    expect(await cluster.killMaster('key')).toBe(master);
    await cluster.healthy();
    expect(await cluster.masterOf('key')).toBe(replica);
    expect(await replica?.cli('GET', 'key')).toBe('v');
    await master.restart();
    await cluster.healthy();
    expect(await cluster.replicasOf(await cluster.masterOf('key'))).toEqual([master]);
  } finally {
    await cluster.stop();
  }
});
