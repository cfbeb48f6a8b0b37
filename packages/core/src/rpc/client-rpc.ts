import type { DeviceAuth } from '../auth/device-auth';
import type { DeviceSession } from '../auth/device-session';
import { TandemError } from '../errors';
import type { MessageLimits } from '../limits/limits';
import { Places } from '../limits/places';
import type { PayloadFormat } from '../payload/index';
import type { Clock, Millis } from '../platform/clock';

/** The body of the call to `TANDEM_RPC_WEBHOOK_URL` (design section 9). */
export interface ClientRpcRequest {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly deviceType: string;
  readonly method: string;
  /** JSON text. */
  readonly params: string;
}

/** Where client-side RPC goes that the gateway does not answer itself. */
export interface ClientRpcBackend {
  /** The reply as JSON text. Rejects with the reason, which the device gets as `{"error":"..."}`. */
  call(request: ClientRpcRequest, signal: AbortSignal): Promise<string>;
}

/** How many calls may wait at the same time. */
export interface WaitingCalls {
  /** `TANDEM_RPC_MAX_WAITING`. */
  readonly max: number;
  /** `TANDEM_RPC_MAX_WAITING_PER_DEVICE`: by whatever door, so that no device has all places while the webhook is slow. */
  readonly perDevice: number;
  /** Hears of each that was one too many. */
  readonly refused?: () => void;
}

const RETRY_AFTER: Millis = 1_000;

/** Commands from the device to the server (contract 1.5.5, 2.5.4). */
export class ClientRpc {
  readonly #places: Places;

  constructor(
    private readonly clock: Clock,
    /** How long a device waits for a reply: `CLIENT_SIDE_RPC_TIMEOUT`. */
    private readonly timeout: Millis,
    private readonly backend: ClientRpcBackend | undefined,
    private readonly bounds: WaitingCalls,
    private readonly limits: MessageLimits,
    private readonly sessions: Pick<DeviceAuth, 'onSessionEnd'>,
  ) {
    this.#places = new Places(bounds.max, bounds.perDevice);
  }

  get waiting(): number {
    return this.#places.taken;
  }

  /**
   * The reply as JSON text: the answer, or `{"error":"..."}` when the server logic failed.
   * @param paramsRequired HTTP wants `params`, CoAP counts a missing one as null
   * @param caller aborted when the device's connection is gone
   * @param format of the payload
   * @throws TandemError BAD_PAYLOAD, NO_REPLY after the time-out, DEVICE_DELETED, TOO_MANY_REQUESTS
   */
  async call(
    session: DeviceSession,
    payload: Buffer,
    { paramsRequired, caller, format }: { paramsRequired: boolean; caller?: AbortSignal; format: PayloadFormat },
  ): Promise<string> {
    const { method, params } = format.readClientRpc(payload, { paramsRequired });
    const limited = this.limits.take(session, 'message');
    if (limited) await limited;
    if (method === 'getTime') return JSON.stringify({ time: new Date(this.clock.now()).toISOString() });
    const free = this.#places.take(session.deviceId);
    if (!free) {
      this.bounds.refused?.();
      throw new TandemError('TOO_MANY_REQUESTS', { message: 'Too many waiting commands', retryAfter: RETRY_AFTER });
    }
    try {
      return await this.#ask(session, { ...identity(session), method, params }, caller);
    } finally {
      free();
    }
  }

  #ask(session: DeviceSession, request: ClientRpcRequest, caller: AbortSignal | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = new AbortController();
      const finish = () => {
        timer.cancel();
        unwatch();
        caller?.removeEventListener('abort', noReply);
      };
      const giveUp = (code: 'NO_REPLY' | 'DEVICE_DELETED') => {
        finish();
        call.abort();
        reject(new TandemError(code));
      };
      const noReply = () => giveUp('NO_REPLY');
      const timer = this.clock.setTimer(this.timeout, noReply);
      // Other credentials are no reason: the call was made with those that were good then.
      const unwatch = this.sessions.onSessionEnd(session, (reason) => reason === 'deleted' && giveUp('DEVICE_DELETED'));
      caller?.addEventListener('abort', noReply);
      if (caller?.aborted) return noReply();
      const settle = (reply: string) => {
        finish();
        resolve(reply);
      };
      this.backend?.call(request, call.signal).then(settle, (error: unknown) => {
        if (!call.signal.aborted)
          settle(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
      });
    });
  }
}

const identity = ({ deviceId, deviceName, deviceType }: DeviceSession) => ({ deviceId, deviceName, deviceType });
