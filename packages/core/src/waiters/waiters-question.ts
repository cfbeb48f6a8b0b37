import type { Uuid } from '../devices/model';
import { OBSERVED_KINDS, type ObservedKind } from '../state/device-events';
import { WAITER_PROTOCOLS, type Waiter, type WaiterProtocol } from './waiter';

/** What one process asks all of them. */
export interface WaitersQuestion {
  readonly tenantId: Uuid;
  /** Those alone; undefined: all of the tenant. */
  readonly devices: readonly Uuid[] | undefined;
  /** Waiters that one process tells of: those that wait for longest. All are counted. */
  readonly limit: number;
}

/** What one process has. */
export interface WaitersAnswer {
  readonly polls: number;
  readonly observations: number;
  readonly waiters: readonly Waiter[];
}

export const questionText = (question: WaitersQuestion): string => JSON.stringify(question);

/** @throws Error where another version of the gateway asks in another way */
export function readQuestion(text: string): WaitersQuestion {
  const { tenantId, devices, limit }: Partial<WaitersQuestion> = JSON.parse(text);
  if (typeof tenantId !== 'string' || !isTexts(devices) || !isCount(limit))
    throw new Error('not a question about waiters');
  return { tenantId, devices, limit };
}

type Row = readonly [Uuid, WaiterProtocol, ObservedKind, string, number, string, number];

/** Without names: there may be a thousand in an answer, and as many answers as processes. */
export function answerText({ polls, observations, waiters }: WaitersAnswer): string {
  const rows = waiters.map(
    (waiter): Row => [
      waiter.deviceId,
      waiter.protocol,
      waiter.kind,
      waiter.peer,
      waiter.ageSeconds,
      waiter.state,
      waiter.notifications,
    ],
  );
  return JSON.stringify([polls, observations, rows]);
}

/** @returns undefined for what another version of the gateway says in another way */
export function readAnswer(text: string): WaitersAnswer | undefined {
  try {
    const [polls, observations, rows]: unknown[] = JSON.parse(text);
    if (!isCount(polls) || !isCount(observations) || !Array.isArray(rows)) return undefined;
    return rows.every(isRow) ? { polls, observations, waiters: rows.map(waiterOf) } : undefined;
  } catch {
    return undefined;
  }
}

const waiterOf = ([deviceId, protocol, kind, peer, ageSeconds, state, notifications]: Row): Waiter => ({
  deviceId,
  protocol,
  kind,
  peer,
  ageSeconds,
  state,
  notifications,
});

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row)) return false;
  const [deviceId, protocol, kind, peer, age, state, notifications] = row;
  const texts = [deviceId, peer, state].every((text) => typeof text === 'string');
  const known = WAITER_PROTOCOLS.includes(protocol) && OBSERVED_KINDS.includes(kind);
  return texts && known && Number.isFinite(age) && isCount(notifications);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isTexts = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || (Array.isArray(value) && value.every((text) => typeof text === 'string'));
