import type { Environment } from '../../support/gateway-process';
import type { Scene } from './scene';

/** A row of contract section 8. */
export interface Vector {
  /** `001`, `168a`. */
  readonly no: string;
  /** What is sent, in the contract's words, with its names: `POST /tok1/telemetry {"a":1}`. */
  readonly says: string;
  /**
   * What the gateway is set to, where that is not the base settings. Rows of the same settings share a gateway, and a gateway
   * takes a second to start: take one of `settings.ts` where it fits.
   */
  readonly settings?: Environment;
  /** It minds no others at the same gateway, and they run along with it: rows that wait for what is stored do. */
  readonly sideBySide?: boolean;
  /** Rejects where the gateway does not do what the contract says. */
  run(scene: Scene): Promise<void>;
}

/** Long bodies are cut: the number says which vector it is. */
const MAX_NAME = 140;

export function nameOf({ no, says }: Vector): string {
  const line = says.replace(/[\r\n\t]+/g, ' ');
  return `TV-${no}: ${line.length > MAX_NAME ? `${line.slice(0, MAX_NAME)}…` : line}`;
}
