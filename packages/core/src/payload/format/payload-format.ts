import type { ClaimRequest } from '../../claiming/claiming';
import type { EpochMillis } from '../../platform/clock';
import type { ParsedClientRpc, RpcReply } from '../rpc-payload';
import type { ParsedTelemetry } from '../telemetry-payload';
import type { TypedMembers } from '../typing';
import type { DeviceMessage } from './device-message';

/** How the payloads of a device are read and written. Every `read` throws TandemError BAD_PAYLOAD and nothing else. */
export interface PayloadFormat {
  /** For log lines: `json`. */
  readonly name: string;
  /** Content-Type of answers. */
  readonly mediaType: string;
  /** Content-Format of answers. */
  readonly contentFormat: number;
  /** Contract 3.2. @param now the time of what has none of its own */
  readTelemetry(bytes: Buffer, now: EpochMillis): ParsedTelemetry;
  /** Contract 3.3. */
  readAttributes(bytes: Buffer): TypedMembers;
  /** A command of the device (contract 2.5.4, 3.8). */
  readClientRpc(bytes: Buffer, options: { readonly paramsRequired: boolean }): ParsedClientRpc;
  /** The answer to a command for the device (contract 2.5.3). */
  readReply(bytes: Buffer, shape: 'any' | 'object'): RpcReply;
  /** Contract 6.1. */
  readClaim(bytes: Buffer): ClaimRequest;
  /** @throws TandemError UNDELIVERABLE where the format has no way to say it: only of commands */
  write(message: DeviceMessage): string | Buffer;
}

/** A message as it goes onto the wire. */
export interface WrittenMessage {
  readonly payload: string | Buffer;
  readonly format: PayloadFormat;
}

/** What a waiter gets its events in. Asked for each of them: the schemas of a profile can change while it waits. */
export interface AnswerFormat {
  current(): PayloadFormat | Promise<PayloadFormat>;
}

/** Without a turn of the event loop where the format is known, as it nearly always is. */
export function writeIn(answers: AnswerFormat, message: DeviceMessage): WrittenMessage | Promise<WrittenMessage> {
  const format = answers.current();
  if (format instanceof Promise) return format.then((found) => written(found, message));
  return written(format, message);
}

export const written = (format: PayloadFormat, message: DeviceMessage): WrittenMessage => ({
  payload: format.write(message),
  format,
});
