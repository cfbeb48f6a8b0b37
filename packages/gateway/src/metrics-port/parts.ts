/** What the answers of the metrics port say of one part of a process. */
export interface Part {
  /** `http`, `coap`, `coaps`, `api`, `store`, `materialiser`, `process`; or a worker that cannot say more of itself. */
  readonly name: string;
  readonly state: 'up' | 'starting' | 'failing' | 'stopping' | 'off';
  /** Why it is not up, as a sentence without a secret; undefined where the state says it all. */
  readonly reason?: string;
  /** Whether requests should go elsewhere for as long as it is not up. */
  readonly needed: boolean;
  /** Of which worker, where there are several. */
  readonly worker?: number;
}

/** Whether requests are welcome. */
export const isReady = (parts: readonly Part[]): boolean => !parts.some(inTheWay);

const inTheWay = ({ needed, state }: Part): boolean => needed && state !== 'up';

/** A line for each part that is in the way, or `ready` and what goes wrong beside that. */
export function renderReadiness(parts: readonly Part[]): string {
  const missing = parts.filter(inTheWay);
  if (missing.length > 0) return linesOf(missing, (part) => `not ready: ${sentenceOf(part)}`);
  return `ready\n${linesOf(parts.filter(isDegraded), (part) => `degraded: ${sentenceOf(part)}`)}`;
}

/** Every part, beneath that. */
export const renderParts = (parts: readonly Part[]): string =>
  renderReadiness(parts) +
  linesOf(parts, ({ worker, name, state, reason }) =>
    [worker === undefined ? undefined : `worker ${worker}`, name, state, reason].filter(Boolean).join(': '),
  );

export const partsJson = (parts: readonly Part[]): string => `${JSON.stringify({ ready: isReady(parts), parts })}\n`;

const isDegraded = ({ state }: Part): boolean => state === 'failing' || state === 'off';

function sentenceOf({ name, state, reason, worker }: Part): string {
  const sentence = reason ?? `${name} is ${state}`;
  return worker === undefined ? sentence : `worker ${worker}: ${sentence}`;
}

const linesOf = (parts: readonly Part[], line: (part: Part) => string): string =>
  parts.map((part) => `${line(part)}\n`).join('');
