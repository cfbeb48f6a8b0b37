import type { State } from '@tandem/core';
import { ServerUnderTest } from './testing/server-under-test';

const PATIENCE = 1_800;

/** The real store; one method of its devices or accounts does not answer until it is let go. */
const hanging = () => {
  let release = () => {};
  let began = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let method: string | undefined;
  const held = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        const real = Reflect.get(target, name);
        if (typeof real !== 'function') return real;
        return (...given: unknown[]) => {
          if (name !== method) return real.apply(target, given);
          began();
          return released.then(() => real.apply(target, given));
        };
      },
    });
  return {
    over: (state: State): State => ({ ...state, devices: held(state.devices), accounts: held(state.accounts) }),
    /** Resolves when it is asked. */
    hang: (name: keyof State['devices'] | keyof State['accounts']) => {
      method = name;
      return new Promise<void>((resolve) => {
        began = resolve;
      });
    },
    letGo: () => release(),
  };
};

describe('The server API that closes over a store that does not answer', () => {
  it.each([
    ['whoever is not identified yet', 'findApiKey'],
    ['whoever reads', 'getDevice'],
    ['whoever writes', 'createDevice'],
  ] as const)('tells %s to come back before the connection is cut, and once only', async (_who, method) => {
    const hang = hanging();
    const own = await ServerUnderTest.start({}, hang.over);
    try {
      const { token } = await own.login();
      const id = await own.createDevice(token, 'there');
      const reached = hang.hang(method);
      const calls = {
        findApiKey: () => own.call('GET', `/api/device/${id}`, { headers: { 'X-Authorization': 'ApiKey unknown' } }),
        getDevice: () => own.call('GET', `/api/device/${id}`, { token }),
        createDevice: () => own.call('POST', '/api/device', { token, body: { name: 'new' } }),
      };
      const answer = calls[method]();
      await reached;
      const closed = own.api.close(PATIENCE);
      await own.clock.timerOf(PATIENCE);
      own.clock.advance(PATIENCE);
      const { status, headers, json } = await answer;
      expect([status, headers.get('retry-after'), headers.get('connection')]).toEqual([503, '1', 'close']);
      expect(json()).toMatchObject({ status: 503, message: 'The gateway is shutting down' });
      await closed;
      const before = own.logged.length;
      hang.letGo();
      await new Promise(setImmediate);
      expect(own.logged.slice(before)).toEqual([]);
    } finally {
      await own.stop();
    }
  });

  it('answers as ever when the store does in time', async () => {
    const hang = hanging();
    const own = await ServerUnderTest.start({}, hang.over);
    try {
      const { token } = await own.login();
      const id = await own.createDevice(token, 'there');
      const reached = hang.hang('getDevice');
      const answer = own.call('GET', `/api/device/${id}`, { token });
      await reached;
      const closed = own.api.close(PATIENCE);
      hang.letGo();
      expect((await answer).status).toBe(200);
      await closed;
    } finally {
      await own.stop();
    }
  });
});
