import type { SessionEnd } from '../auth/device-auth';
import type { DeviceSession } from '../auth/device-session';
import type { MessageLimits } from '../limits/limits';
import { JsonFormat } from '../payload/index';
import { FakeClock } from '../testing/fake-clock';
import { ClientRpc, type ClientRpcRequest } from './client-rpc';

const NO_LIMITS: MessageLimits = { take: () => undefined };

const SESSION: DeviceSession = {
  tenantId: 'tenant',
  deviceId: 'device',
  deviceName: 'Oven',
  deviceType: 'oven',
  profileId: 'profile',
  transportType: 'DEFAULT',
  coapDeviceType: 'DEFAULT',
  payloadType: 'JSON',
  credentials: { id: 'credentials', version: 1 },
};

/** What is heard of the sessions of devices. */
class Sessions {
  readonly heard = new Set<(reason: SessionEnd) => void>();

  onSessionEnd(_session: DeviceSession, listener: (reason: SessionEnd) => void): () => void {
    this.heard.add(listener);
    return () => this.heard.delete(listener);
  }

  end(reason: SessionEnd): void {
    for (const listener of this.heard) listener(reason);
  }
}

const JSON_FORMAT = new JsonFormat({ typeCast: true, maxStringLength: 0 });

/** A backend whose calls end when the test says so. */
class HeldBackend {
  readonly calls: Array<{
    readonly request: ClientRpcRequest;
    readonly signal: AbortSignal;
    resolve(reply: string): void;
    reject(error: unknown): void;
  }> = [];

  call(request: ClientRpcRequest, signal: AbortSignal): Promise<string> {
    return new Promise((resolve, reject) => this.calls.push({ request, signal, resolve, reject }));
  }

  get latest() {
    const call = this.calls.at(-1);
    if (!call) throw new Error('nobody called');
    return call;
  }
}

describe('A command of a device', () => {
  const TIMEOUT = 60_000;
  let clock: FakeClock;
  let backend: HeldBackend;
  let sessions: Sessions;
  let rpc: ClientRpc;
  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    backend = new HeldBackend();
    sessions = new Sessions();
    rpc = new ClientRpc(clock, TIMEOUT, backend, { max: 3, perDevice: 2 }, NO_LIMITS, sessions);
  });

  const call = (text: string, caller?: AbortSignal, paramsRequired = true, deviceId = SESSION.deviceId) =>
    rpc.call({ ...SESSION, deviceId }, Buffer.from(text), { paramsRequired, caller, format: JSON_FORMAT });
  const ask = (caller?: AbortSignal) => call('{"method":"m","params":{}}', caller);
  const askAs = (deviceId: string) => call('{"method":"m","params":{}}', undefined, true, deviceId);

  it('getTime is answered at once, without the backend', async () => {
    expect(await call('{"method":"getTime","params":{}}')).toBe('{"time":"2026-01-02T03:04:05.678Z"}');
    expect(backend.calls).toEqual([]);
  });

  it('reaches the backend with the device and the text of its parameters, and brings its reply', async () => {
    const reply = call('{"method":"m","params":{"a":42.0}}');
    expect(backend.latest.request).toEqual({
      deviceId: 'device',
      deviceName: 'Oven',
      deviceType: 'oven',
      method: 'm',
      params: '{"a":42.0}',
    });
    expect(rpc.waiting).toBe(1);
    backend.latest.resolve('{"b":1.0}');
    expect(await reply).toBe('{"b":1.0}');
    expect(rpc.waiting).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it('without parameters is bad, or asks with null, as its protocol has it', async () => {
    await expect(call('{"method":"m"}')).rejects.toMatchObject({ code: 'BAD_PAYLOAD' });
    expect(rpc.waiting).toBe(0);
    void call('{"method":"m"}', undefined, false);
    expect(backend.latest.request.params).toBe('null');
  });

  it('gets the reason when the backend fails', async () => {
    const reply = ask();
    backend.latest.reject(new Error('Webhook answered "500"'));
    expect(await reply).toBe('{"error":"Webhook answered \\"500\\""}');
    expect(clock.timers).toBe(0);
  });

  it('has no reply after its time, and the backend is told to stop', async () => {
    const reply = expect(ask()).rejects.toMatchObject({ code: 'NO_REPLY' });
    clock.advance(TIMEOUT - 1);
    expect(backend.latest.signal.aborted).toBe(false);
    clock.advance(1);
    await reply;
    expect(backend.latest.signal.aborted).toBe(true);
    backend.latest.reject(new Error('aborted'));
    expect(rpc.waiting).toBe(0);
  });

  it('ends when its connection is gone', async () => {
    const caller = new AbortController();
    const reply = expect(ask(caller.signal)).rejects.toMatchObject({ code: 'NO_REPLY' });
    caller.abort();
    await reply;
    expect(backend.latest.signal.aborted).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('whose connection was gone before it is not even asked', async () => {
    await expect(ask(AbortSignal.abort())).rejects.toMatchObject({ code: 'NO_REPLY' });
    expect(backend.calls).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('ends at once when its device is deleted, and goes on when that gets other credentials', async () => {
    const reply = ask();
    sessions.end('credentials');
    expect(rpc.waiting).toBe(1);
    const refused = expect(reply).rejects.toMatchObject({ code: 'DEVICE_DELETED' });
    sessions.end('deleted');
    await refused;
    expect(backend.latest.signal.aborted).toBe(true);
    expect([rpc.waiting, clock.timers, sessions.heard.size]).toEqual([0, 0, 0]);
  });

  it('listens for the end of its device no longer than it waits', async () => {
    const caller = new AbortController();
    const replies = [ask(), ask(caller.signal)];
    expect(sessions.heard.size).toBe(2);
    backend.calls[0]?.resolve('1');
    await replies[0];
    caller.abort();
    await expect(replies[1]).rejects.toMatchObject({ code: 'NO_REPLY' });
    expect(sessions.heard.size).toBe(0);
  });

  it('is refused when too many of all devices wait, and taken again when one has ended', async () => {
    const replies = ['a', 'b', 'c'].map(askAs);
    await expect(askAs('d')).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: 1000 });
    backend.calls[0]?.resolve('1');
    await replies[0];
    void askAs('d');
    expect(backend.calls).toHaveLength(4);
  });

  it('is refused when too many of its device wait, while those of others are taken', async () => {
    void ask();
    void ask();
    await expect(ask()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: 1000 });
    void askAs('another');
    expect(backend.calls).toHaveLength(3);
  });

  it('is refused when too many wait, and taken again when one has ended', async () => {
    const replies = [ask(), ask()];
    await expect(ask()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: 1000 });
    expect(await call('{"method":"getTime","params":{}}')).toContain('time');
    backend.calls[0]?.resolve('1');
    await replies[0];
    void ask();
    expect(backend.calls).toHaveLength(3);
  });

  it('waits for its time-out where there is no backend', async () => {
    const alone = new ClientRpc(clock, TIMEOUT, undefined, { max: 3, perDevice: 2 }, NO_LIMITS, sessions);
    const reply = alone.call(SESSION, Buffer.from('{"method":"m","params":1}'), {
      paramsRequired: true,
      format: JSON_FORMAT,
    });
    const refused = expect(reply).rejects.toMatchObject({ code: 'NO_REPLY' });
    clock.advance(TIMEOUT);
    await refused;
  });
});
