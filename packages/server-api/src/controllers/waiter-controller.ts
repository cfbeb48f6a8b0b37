import type { Core, FoundWaiters, Uuid } from '@tandem/core';
import { accessDevice, mayAccessDevice } from '../access/device-access';
import type { Principal } from '../auth/principal';
import { requireUuid } from '../http/path';
import { exactly, listOf, oneOf, TEXT, UUID, WHOLE } from '../json/schema';
import { jsonAnswer } from '../routing/answer';
import { textParameter } from '../routing/query-parameters';
import { json, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';

const LIMIT = { min: 1, max: 1_000 };
const DEFAULT_LIMIT = 100;
/** All of a customer's, whatever a page holds. */
const ALL = { page: 0, pageSize: Number.MAX_SAFE_INTEGER };

const WAITERS_ANSWER = exactly('Waiters', {
  total: exactly('WaiterCounts', { polls: WHOLE, observations: WHOLE }),
  waiters: listOf(
    exactly('Waiter', {
      deviceId: UUID,
      deviceName: TEXT,
      protocol: oneOf('http', 'coap', 'coaps'),
      kind: oneOf('attributes', 'rpc'),
      peer: TEXT,
      ageSeconds: { type: 'number' },
      state: TEXT,
      notifications: WHOLE,
      process: TEXT,
    }),
  ),
  processes: WHOLE,
  unanswered: WHOLE,
});

/** Open polls and observations, over all processes of the gateway. ThingsBoard has nothing of the kind. */
export function waiterRoutes({ devices, waiters }: Core): Route[] {
  /** Undefined: all of the tenant. */
  const allowed = async (caller: Principal, asked: Uuid | undefined): Promise<readonly Uuid[] | undefined> => {
    const { authority, tenantId, customerId } = caller.user;
    if (asked !== undefined) return [(await accessDevice(devices, caller, asked)).id];
    if (authority === 'TENANT_ADMIN') return undefined;
    const { data } = await devices.list(tenantId, { ...ALL, customerId });
    return data.filter((device) => mayAccessDevice(caller.user, device)).map(({ id }) => id);
  };

  /** Those whose device is still there, and the caller's: whoever deletes one does not end its polls in the same moment. */
  const named = async ({ user }: Principal, found: FoundWaiters) => {
    const known = await devices.findAll(
      user.tenantId,
      found.waiters.map(({ deviceId }) => deviceId),
    );
    const names = new Map(known.filter((device) => mayAccessDevice(user, device)).map(({ id, name }) => [id, name]));
    return found.waiters.flatMap((waiter) => {
      const deviceName = names.get(waiter.deviceId);
      return deviceName === undefined ? [] : [{ ...waiter, deviceName }];
    });
  };

  const list = async ({ caller, query }: ApiRequest): Promise<Reply> => {
    const asked = query.text('deviceId');
    const limit = query.whole('limit', LIMIT, DEFAULT_LIMIT);
    const ids = await allowed(caller, asked === undefined ? undefined : requireUuid(asked));
    const found = await waiters.find(caller.user, { tenantId: caller.user.tenantId, devices: ids, limit });
    const shown = await named(caller, found);
    const gone = (isPoll: boolean) =>
      found.waiters.filter(({ protocol }) => (protocol === 'http') === isPoll).length -
      shown.filter(({ protocol }) => (protocol === 'http') === isPoll).length;
    return json({
      total: { polls: found.polls - gone(true), observations: found.observations - gone(false) },
      waiters: shown,
      processes: found.processes,
      unanswered: found.unanswered,
    });
  };

  return [
    {
      method: 'GET',
      path: '/api/tandem/waiters',
      summary: 'Open polls and observations of devices, those that wait for longest first',
      query: [
        textParameter('deviceId', 'Of this device alone'),
        {
          name: 'limit',
          schema: { type: 'integer', minimum: LIMIT.min, maximum: LIMIT.max, default: DEFAULT_LIMIT },
          description: 'How many are listed; all are counted',
        },
      ],
      answer: jsonAnswer(WAITERS_ANSWER),
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'json',
      handle: list,
    },
  ];
}
