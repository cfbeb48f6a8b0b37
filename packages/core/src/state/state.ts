import type { AccountStore } from './account-store';
import type { ActivityStore } from './activity-store';
import type { AttributeStore } from './attribute-store';
import type { ClaimStore } from './claim-store';
import type { DeviceEvents } from './device-events';
import type { DeviceFeed } from './device-feed';
import type { DeviceStore } from './device-store';
import type { FailureCounters } from './failure-counters';
import type { FirmwareStore } from './firmware-store';
import type { Processes } from './processes';
import type { RateCounters } from './rate-counters';
import type { RolloutStore } from './rollout-store';
import type { RpcStore } from './rpc-store';
import type { TelemetryLog } from './telemetry-log';
import type { Materialiser, TelemetryView } from './telemetry-view';

/** One store: all ports over one truth. Both stores pass the suite in `testing/state-contract.ts`. */
export interface State {
  readonly accounts: AccountStore;
  readonly devices: DeviceStore;
  readonly claims: ClaimStore;
  readonly attributes: AttributeStore;
  readonly events: DeviceEvents;
  readonly telemetryLog: TelemetryLog;
  readonly telemetryView: TelemetryView;
  readonly materialiser: Materialiser;
  readonly rpcs: RpcStore;
  readonly rateCounters: RateCounters;
  readonly failures: FailureCounters;
  readonly activity: ActivityStore;
  readonly firmware: FirmwareStore;
  readonly rollouts: RolloutStore;
  readonly feed: DeviceFeed;
  readonly processes: Processes;
  /** A secret shared by all processes of the store, made once: signs JWTs. */
  secret(name: string): Promise<Buffer>;
  /**
   * Seals every secret that stands in clear or is sealed by another key than the first; after that the other keys are needed no
   * more, unless another process goes on sealing by them. May be called while others write.
   * @returns how many it has sealed
   * @throws Error where there is no key, or some do not open: the others are sealed then
   */
  sealSecrets(): Promise<number>;
  /** Resolves when the store takes a write; rejects otherwise, at the latest after the store's time-out. */
  ping(): Promise<void>;
  /**
   * The store lost all it had, as a Redis does that was restarted empty: what a start makes has to be made again. Heard
   * when it can be written again.
   * @returns stops listening
   */
  onReset(listener: () => void): () => void;
  /**
   * Resolves when everything accepted is on its way to the disk and nothing is open. May be called twice. Every use
   * afterwards rejects with STORE_UNAVAILABLE.
   */
  close(): Promise<void>;
}
