import { describeAccountCredentialsContract } from './account-credentials-contract';
import { describeAccountStoreContract } from './account-store-contract';
import { describeActivityContract } from './activity-contract';
import { describeAttributeStoreContract } from './attribute-store-contract';
import { describeClaimStoreContract } from './claim-store-contract';
import { describeDeviceEventsContract } from './device-events-contract';
import { describeDeviceFeedContract } from './device-feed-contract';
import { describeDeviceListContract } from './device-list-contract';
import { describeDeviceRemovalContract } from './device-removal-contract';
import { describeDeviceStoreContract } from './device-store-contract';
import { describeFailureCountersContract } from './failure-counters-contract';
import { describeFirmwareStoreContract } from './firmware-store-contract';
import { describeKeptRpcsContract } from './kept-rpcs-contract';
import { describeLifecycleContract } from './lifecycle-contract';
import { describeProcessesContract } from './processes-contract';
import { describeProfileStoreContract } from './profile-store-contract';
import { describeRateCountersContract } from './rate-counters-contract';
import { describeRolloutStoreContract } from './rollout-store-contract';
import { describeRpcStoreContract } from './rpc-store-contract';
import { describeSessionChangeContract } from './session-change-contract';
import type { MakeStore } from './store-under-test';
import { describeTelemetryContract } from './telemetry-contract';
import { describeTelemetryViewContract } from './telemetry-view-contract';

/** What every store must do: the doc comments of `state/` as tests. */
export function describeStateContract(name: string, makeStore: MakeStore): void {
  describe(`The state contract, kept by ${name}`, () => {
    describeAccountStoreContract(makeStore);
    describeAccountCredentialsContract(makeStore);
    describeProfileStoreContract(makeStore);
    describeDeviceStoreContract(makeStore);
    describeSessionChangeContract(makeStore);
    describeDeviceListContract(makeStore);
    describeDeviceRemovalContract(makeStore);
    describeClaimStoreContract(makeStore);
    describeAttributeStoreContract(makeStore);
    describeDeviceEventsContract(makeStore);
    describeTelemetryContract(makeStore);
    describeTelemetryViewContract(makeStore);
    describeRpcStoreContract(makeStore);
    describeKeptRpcsContract(makeStore);
    describeRateCountersContract(makeStore);
    describeFailureCountersContract(makeStore);
    describeActivityContract(makeStore);
    describeFirmwareStoreContract(makeStore);
    describeRolloutStoreContract(makeStore);
    describeDeviceFeedContract(makeStore);
    describeProcessesContract(makeStore);
    describeLifecycleContract(makeStore);
  });
}

/** The parts of it that have to do with what is secret: for a store that seals that. */
export function describeSealedContract(name: string, makeStore: MakeStore): void {
  describe(`Accounts, devices and their credentials, as the state contract wants them, sealed by ${name}`, () => {
    describeAccountStoreContract(makeStore);
    describeAccountCredentialsContract(makeStore);
    describeProfileStoreContract(makeStore);
    describeDeviceStoreContract(makeStore);
    describeSessionChangeContract(makeStore);
    describeClaimStoreContract(makeStore);
  });
}

/**
 * The parts of it in which there is every kind of write, and what hears of it: for a store that differs from one that
 * keeps the whole contract only in when a write counts as written.
 */
export function describeWritesContract(name: string, makeStore: MakeStore): void {
  describe(`Writes, as the state contract wants them, by ${name}`, () => {
    describeDeviceRemovalContract(makeStore);
    describeClaimStoreContract(makeStore);
    describeAttributeStoreContract(makeStore);
    describeDeviceEventsContract(makeStore);
    describeTelemetryContract(makeStore);
    describeKeptRpcsContract(makeStore);
    describeRateCountersContract(makeStore);
    describeFirmwareStoreContract(makeStore);
    describeDeviceFeedContract(makeStore);
    describeLifecycleContract(makeStore);
  });
}
