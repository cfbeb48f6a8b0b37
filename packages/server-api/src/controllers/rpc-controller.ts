import { type Core, type RpcCall, type RpcOutcome, splitJsonObject, TandemError } from '@tandem/core';
import { accessRequestedDevice } from '../access/device-access';
import { looseReader } from '../http/body-reader';
import { isObject, type JsonBody, parseStrictly, shapeChecker } from '../http/json-body';
import { parseUuid, uuidParameter } from '../http/path';
import { ANY } from '../json/schema';
import { jsonAnswer } from '../routing/answer';
import { withPlainRefusals } from '../routing/plain-refusals';
import { empty, json, jsonText, type Reply } from '../routing/reply';
import { type ApiRequest, type Route, TENANT_AND_CUSTOMER } from '../routing/route';

/** What the two versions of the call say when no answer came (server contract 6.1). */
interface SilenceStatuses {
  readonly timeout: number;
  readonly noConnection: number;
}

const VERSIONS: ReadonlyArray<{ readonly base: string; readonly silence: SilenceStatuses }> = [
  { base: '/api/rpc', silence: { timeout: 504, noConnection: 504 } },
  { base: '/api/plugins/rpc', silence: { timeout: 408, noConnection: 409 } },
];

/** The longest life of a command that its caller waits for: what a timer can hold, with room for the grace time. */
const LONGEST_WAIT = 2_147_000_000;

interface RpcBody {
  readonly method: string;
  readonly timeout?: number | null;
  readonly expirationTime?: number | null;
  readonly persistent?: boolean | null;
  readonly retries?: number | null;
}

const MILLIS = { type: ['integer', 'null'], maximum: Number.MAX_SAFE_INTEGER };
const BODY_SCHEMA = {
  type: 'object',
  required: ['method'],
  properties: {
    method: { type: 'string', minLength: 1 },
    timeout: MILLIS,
    expirationTime: { ...MILLIS, minimum: 0 },
    persistent: { type: ['boolean', 'null'] },
    retries: { type: ['integer', 'null'], minimum: 0, maximum: 2_147_483_647 },
  },
};
const checkBody = shapeChecker<RpcBody>(BODY_SCHEMA);
const readBody = looseReader(BODY_SCHEMA, parseStrictly);

/** Server contract 6.1: commands to a device, in both path families. */
export function rpcRoutes(core: Core): Route[] {
  const { rpcCalls, devices, clock } = core;

  const calling =
    (oneway: boolean, silence: SilenceStatuses) =>
    async ({ caller, params, body, signal }: ApiRequest): Promise<Reply> => {
      const deviceId = uuidParameter(params, 'deviceId');
      const request = readRequest(await body(readBody), clock.now());
      return withPlainRefusals(async () => {
        const { tenantId } = await accessRequestedDevice(devices, caller, deviceId);
        const outcome = await rpcCalls.send({ ...request, tenantId, deviceId, oneway }, signal).catch(async (error) => {
          // Perhaps the device is gone by now, which is to be told in its own words.
          await accessRequestedDevice(devices, caller, deviceId);
          throw error;
        });
        if (outcome.kind === 'gone') {
          signal.throwIfAborted();
          await accessRequestedDevice(devices, caller, deviceId);
        }
        return replyTo(outcome, silence);
      });
    };

  return VERSIONS.flatMap(({ base, silence }) => {
    const guard = {
      method: 'POST',
      authorities: TENANT_AND_CUSTOMER,
      refusal: 'text',
      body: readBody,
      answer: jsonAnswer(ANY),
    } as const;
    return [
      {
        ...guard,
        path: `${base}/oneway/{deviceId}`,
        summary: 'Send a one-way command',
        handle: calling(true, silence),
      },
      {
        ...guard,
        path: `${base}/twoway/{deviceId}`,
        summary: 'Send a command and wait for the reply; 406 where that is not JSON',
        handle: calling(false, silence),
      },
    ];
  });
}

/** @throws TandemError BAD_PAYLOAD, BAD_REQUEST */
function readRequest(body: JsonBody | undefined, now: number): Omit<RpcCall, 'tenantId' | 'deviceId' | 'oneway'> {
  if (!body || !isObject(body.value)) throw invalidBody();
  const { method, timeout, expirationTime, persistent, retries } = checkBody(body.value);
  const life = expirationTime == null ? (timeout ?? 0) : expirationTime - now;
  if (!persistent && life > LONGEST_WAIT) {
    throw refused(`Only a persistent request can live longer than ${LONGEST_WAIT} ms`);
  }
  const members = splitJsonObject(body.text);
  return {
    method,
    params: members.get('params') ?? 'null',
    timeout: timeout ?? undefined,
    expirationTime: expirationTime ?? undefined,
    persistent: persistent ?? false,
    retries: retries ?? null,
    additionalInfo: body.value.additionalInfo == null ? null : members.get('additionalInfo'),
    requestUuid: requestUuidOf(body.value.requestUUID),
  };
}

function requestUuidOf(given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined;
  const uuid = typeof given === 'string' ? parseUuid(given) : undefined;
  if (uuid === undefined) throw invalidBody();
  return uuid;
}

function replyTo(outcome: RpcOutcome, silence: SilenceStatuses): Reply {
  switch (outcome.kind) {
    case 'persisted':
      return json({ rpcId: outcome.rpcId });
    case 'handed-over':
      return empty();
    case 'answered':
      if (outcome.response === '') return empty();
      return outcome.isJson ? jsonText(outcome.response) : empty(406);
    case 'no-connection':
      return empty(silence.noConnection);
    case 'failed':
      return { ...jsonText(outcome.response), status: silence.timeout };
    case 'timeout':
    case 'gone':
      return empty(silence.timeout);
  }
}

const invalidBody = () => new TandemError('BAD_PAYLOAD', { message: 'Invalid request body' });
const refused = (message: string) => new TandemError('BAD_REQUEST', { message });
