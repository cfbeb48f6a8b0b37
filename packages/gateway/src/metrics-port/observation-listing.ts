import { setImmediate } from 'node:timers/promises';
import type { ListedObservation } from '@tandem/coap-transport';

/** What is asked for with `GET /observations`. */
export interface ListingQuery {
  readonly limit: number;
  readonly deviceId: string | undefined;
  readonly peer: string | undefined;
}

const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
/** Observations looked at before others get their turn: a process may have 50,000. */
const AT_ONCE = 500;

const LIMIT = /^[1-9]\d{0,4}$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const PEER = /^\S+:\d{1,5}$/;

/** @returns a sentence that says what is wrong, where something is */
export function listingQuery(parameters: URLSearchParams): ListingQuery | string {
  const names = [...parameters.keys()];
  const unknown = names.find((name) => name !== 'limit' && name !== 'deviceId' && name !== 'peer');
  if (unknown !== undefined) return 'only limit, deviceId and peer can be asked for';
  if (new Set(names).size < names.length) return 'each of limit, deviceId and peer can be there once';
  const limit = parameters.get('limit') ?? String(DEFAULT_LIMIT);
  const deviceId = parameters.get('deviceId') ?? undefined;
  const peer = parameters.get('peer') ?? undefined;
  if (!LIMIT.test(limit) || Number(limit) > MAX_LIMIT) return `limit is a whole number from 1 to ${MAX_LIMIT}`;
  if (deviceId !== undefined && !UUID.test(deviceId)) return 'deviceId is the UUID of a device';
  if (peer !== undefined && !PEER.test(peer)) return 'peer is address:port';
  return { limit: Number(limit), deviceId: deviceId?.toLowerCase(), peer };
}

/** Observations of one process. */
export interface Listing {
  /** How many there are of those that were asked for. */
  readonly total: number;
  /** The oldest of them first; `json` is the whole row. */
  readonly rows: readonly { readonly ageSeconds: number; readonly json: string }[];
}

/**
 * The loop is given free again and again meanwhile, so they are of about the same time and not of one moment.
 * @param observations oldest first
 */
export async function listObservations(
  observations: Iterable<ListedObservation>,
  { limit, deviceId, peer }: ListingQuery,
): Promise<Listing> {
  const rows: Listing['rows'][number][] = [];
  let total = 0;
  let looked = 0;
  for (const observation of observations) {
    if (++looked % AT_ONCE === 0) await setImmediate();
    if (deviceId !== undefined && observation.deviceId !== deviceId) continue;
    if (peer !== undefined && observation.peer !== peer) continue;
    if (++total <= limit) rows.push({ ageSeconds: observation.ageSeconds, json: JSON.stringify(observation) });
  }
  return { total, rows };
}

/** `{"total":n,"observations":[...]}` of all processes together: the oldest, as many as were asked for. */
export function renderListing(listings: readonly Listing[], { limit }: ListingQuery): string {
  const total = listings.reduce((sum, listing) => sum + listing.total, 0);
  const rows = listings.flatMap((listing) => listing.rows);
  // Those of one process are in order as they are.
  if (listings.length > 1) rows.sort((one, other) => other.ageSeconds - one.ageSeconds);
  const json = rows.slice(0, limit).map((row) => row.json);
  return `{"total":${total},"observations":[${json.join(',')}]}\n`;
}
