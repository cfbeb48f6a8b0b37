import type { EpochMillis } from '../../platform/clock';

/** What a payload is about: from the device `telemetry` to `claim`, to the device `attributes` to `update` as well. */
export const PAYLOAD_KINDS = [
  'telemetry',
  'attributes',
  /** A command: of the server for the device, or of the device for the server. */
  'command',
  /** The answer to a command. */
  'reply',
  'claim',
  /** Shared attributes that changed. */
  'update',
] as const;
export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

export interface PayloadAbout {
  readonly kind: PayloadKind;
  /** For formats that name times relative to the present. */
  readonly now: EpochMillis;
}

/**
 * A format of payloads: bytes on the one side, on the other the JSON text that a device would send or get in JSON mode
 * (contract section 3). The text alone tells types: `42` is a LONG, `42.0` a DOUBLE.
 */
export interface PayloadCodec {
  /** Short, for log lines: `cbor`. */
  readonly name: string;
  /** Media types over HTTP, in lower case and without parameters; answers carry the first. */
  readonly mediaTypes: readonly string[];
  /** Content-Format over CoAP (RFC 7252 section 12.3); undefined: not over CoAP. */
  readonly contentFormat: number | undefined;
  /** What it is good for; everything where left out. Other payloads are JSON. */
  readonly kinds?: readonly PayloadKind[];
  /**
   * @returns JSON text, in whatever leniency of contract 3.1
   * @throws anything when the bytes are none of the format: the device is answered 400 / 4.00. The message of a TandemError
   * is told to HTTP devices, other messages are not
   */
  decode(bytes: Buffer, about: PayloadAbout): string;
  /** @param json compact JSON text */
  encode(json: string, about: PayloadAbout): Buffer;
}
