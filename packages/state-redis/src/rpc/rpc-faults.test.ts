import type { Device, Rpc } from '@tandem/core';
import { RpcCalls, silentLogger } from '@tandem/core';
import { aCommand, CREATED, FakeClock } from '@tandem/core/testing';
import { rpcKeys } from './rpc-keys';
import { type RpcProcess, RpcRedis } from './testing/rpcs-under-test';

const LAPSED = CREATED + 60_001;
const NOW = CREATED + 1_000;
const UNTIL = NOW + 5_000;

let redis: RpcRedis;
beforeAll(async () => {
  redis = await RpcRedis.start();
});
afterEach(() => {
  jest.restoreAllMocks();
  return redis.clear();
});
afterAll(() => redis.stop());

const cli = (...args: string[]) => redis.server.cli(...args);

async function create({ rpcs }: RpcProcess, device: Device, given?: Parameters<typeof aCommand>[1]): Promise<Rpc> {
  const rpc = await rpcs.create(aCommand(device, given));
  if (!rpc) throw new Error('the command was refused');
  return rpc;
}

/** Keeps the next write of the process, to be sent once more later: as ioredis does when its answer gets lost. */
function sentAgainLater({ commands }: RpcProcess): () => Promise<unknown> {
  const write = commands.write.bind(commands);
  let again: () => Promise<unknown> = () => Promise.reject(new Error('nothing was written'));
  jest.spyOn(commands, 'write').mockImplementationOnce((...given) => {
    again = () => write(...given);
    return write(...given);
  });
  return () => again();
}

describe('A write that reaches Redis once more after its answer got lost', () => {
  it('does not end the hold that another process took meanwhile', async () => {
    const [one, two, three] = [redis.process(), redis.process(), redis.process()];
    const { id } = await create(one, await redis.device(), { oneway: true });
    const again = sentAgainLater(one);
    await one.rpcs.transition(id, ['QUEUED', 'SENT'], { status: 'QUEUED' });
    expect(await two.rpcs.hold(id, NOW, UNTIL)).toBe(true);
    await again();
    expect(await three.rpcs.hold(id, NOW, UNTIL)).toBe(false);
    expect((await three.rpcs.get(id))?.heldUntil).toBe(UNTIL);
  });

  it('does not take back what another process made of the command meanwhile', async () => {
    const [one, two] = [redis.process(), redis.process()];
    const { id } = await create(one, await redis.device(), { oneway: true });
    const again = sentAgainLater(one);
    await one.rpcs.transition(id, ['QUEUED', 'SENT'], { status: 'QUEUED' });
    await two.rpcs.hold(id, NOW, UNTIL);
    const sent = await two.rpcs.transition(id, ['QUEUED'], { status: 'SENT', heldUntil: UNTIL + 1 });
    await again();
    expect(await one.rpcs.get(id)).toEqual(sent);
  });

  it('does not say that a command is held whose hold has ended meanwhile', async () => {
    const [one, two] = [redis.process(), redis.process()];
    const { id } = await create(one, await redis.device(), { oneway: true });
    const again = sentAgainLater(one);
    expect(await one.rpcs.hold(id, NOW, UNTIL)).toBe(true);
    expect(await again()).toBe('held');
    await two.rpcs.transition(id, ['QUEUED'], { status: 'DELIVERED' });
    expect(await again()).toBe('refused');
  });
});

describe('Looking for what has lapsed', () => {
  /** The hash of the command is another program's from now on. */
  const spoil = ({ id, deviceId }: Rpc) => cli('SET', rpcKeys(redis.keys, deviceId).hash(id), 'theirs');

  it('leaves out a command in whose place something else is', async () => {
    const one = redis.process();
    const device = await redis.device();
    const [bad, good] = [await create(one, device), await create(one, device)];
    await spoil(bad);
    expect(await one.rpcs.expired(LAPSED, 10)).toEqual([good]);
    expect(await one.rpcs.expired(LAPSED, 1)).toEqual([good]);
  });

  it('gets to the others, however many stand before them', async () => {
    const one = redis.process({ maxPending: 5_000 });
    const device = await redis.device();
    const bad = await Promise.all(Array.from({ length: 2_500 }, () => create(one, device)));
    const theirs = rpcKeys(redis.keys, device.id);
    await cli('MSET', ...bad.flatMap(({ id }) => [theirs.hash(id), 'theirs']));
    const good = await create(one, device, { expirationTime: LAPSED });
    const found: Rpc[] = [];
    let calls = 0;
    for (; found.length === 0 && calls < 3; calls++) found.push(...(await one.rpcs.expired(LAPSED + 1, 1)));
    expect(found).toEqual([good]);
    expect(calls).toBe(2);
  });
});

describe('A persistent command whose process dies when it has made it final', () => {
  /** What the process would do next is never done. */
  function dies({ commands }: RpcProcess): void {
    const write = commands.write.bind(commands);
    jest.spyOn(commands, 'write').mockImplementation((script, ...given) => {
      return script.name === 'rpc-transition' ? write(script, ...given) : Promise.reject(new Error('dead'));
    });
  }

  it('is noted as finished by the next one that sweeps', async () => {
    const [one, two] = [redis.process(), redis.process()];
    const { id, expirationTime } = await create(one, await redis.device(), { persistent: true });
    dies(one);
    expect(await one.rpcs.transition(id, ['QUEUED'], { status: 'SUCCESSFUL', at: NOW })).toBeDefined();
    expect(await two.rpcs.finished(LAPSED, 10)).toEqual([]);
    expect(await two.rpcs.expired(LAPSED, 10)).toEqual([]);
    expect(await two.rpcs.finished(expirationTime + 1, 10)).toEqual([id]);
  });

  it('leaves one too many, which goes with the next one that becomes final', async () => {
    const options = { maxFinished: 1 };
    const [one, two] = [redis.process(options), redis.process(options)];
    const device = await redis.device();
    const made: Rpc[] = [];
    for (let n = 0; n < 3; n++) made.push(await create(one, device, { persistent: true, createdTime: CREATED + n }));
    const finish = ({ rpcs }: RpcProcess, n: number) =>
      rpcs.transition(made[n]?.id ?? '', ['QUEUED'], { status: 'SUCCESSFUL', at: NOW });
    await finish(one, 0);
    dies(one);
    await finish(one, 1);
    const listed = async () => (await two.rpcs.list(device.id, { page: 0, pageSize: 9 })).data.map(({ id }) => id);
    expect(await listed()).toHaveLength(3);
    await finish(two, 2);
    expect(await listed()).toEqual([made[2]?.id]);
    expect(await two.rpcs.finished(LAPSED * 2, 10)).toEqual([made[2]?.id]);
  });
});

describe('Sweeping while Redis is out of memory', () => {
  it('makes room: nothing that has lapsed is left', async () => {
    const one = redis.process();
    const device = await redis.device();
    const persistent = await create(one, device, { persistent: true });
    await create(one, device);
    const clock = new FakeClock(LAPSED + 10_000);
    const error = jest.fn();
    const calls = new RpcCalls(
      one.rpcs,
      { watch: () => () => {} } as never,
      clock,
      {} as never,
      { defaultTimeout: 10_000, minTimeout: 1_000 },
      { ...silentLogger, error },
      {} as never,
      {} as never,
      {} as never,
    );
    await cli('CONFIG', 'SET', 'maxmemory', '1');
    try {
      expect(await calls.sweep(10)).toBe(2);
      expect(await calls.sweep(10)).toBe(0);
    } finally {
      await cli('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(error).not.toHaveBeenCalled();
    expect(await one.rpcs.get(persistent.id)).toMatchObject({ status: 'EXPIRED' });
  });
});
