import { type AccountServices, makeAccounts } from './accounts/make-accounts';
import { AttributeUpdates } from './attributes/attribute-updates';
import { Attributes } from './attributes/attributes';
import type { CredentialsGuard } from './auth/credentials-guard';
import { DeviceAuth } from './auth/device-auth';
import { makeCredentialsGuard } from './auth/make-credentials-guard';
import { Claiming } from './claiming/claiming';
import type { Settings } from './config/settings';
import { Connectivity } from './connectivity/connectivity';
import { DeviceProfiles } from './devices/device-profiles';
import { type DeviceServices, makeDevices } from './devices/make-devices';
import { ProfileFormats } from './devices/profile-formats';
import { ProfileKeys } from './devices/profile-keys';
import { type Firmware, makeFirmware } from './firmware/firmware';
import { Limits } from './limits/limits';
import { Formats, JsonFormat, makeCodecFormats, type PayloadCodec, type PayloadSettings } from './payload/index';
import { MessageSize } from './payload/message-size';
import { Callers } from './platform/caller-address';
import type { Clock, Millis } from './platform/clock';
import { Faults } from './platform/faults';
import type { Logger } from './platform/logger';
import type { MetricsRegistry } from './platform/metrics';
import { quietLogger } from './platform/quiet-logger';
import type { Random } from './platform/random';
import { makeProvisioning } from './provisioning/make-provisioning';
import type { Provisioning } from './provisioning/provisioning';
import { ClientRpc, type ClientRpcBackend } from './rpc/client-rpc';
import { FinishedRpcs } from './rpc/finished-rpcs';
import { RpcCalls } from './rpc/rpc-calls';
import { RpcDelivery } from './rpc/rpc-delivery';
import type { State } from './state/state';
import { Telemetry } from './telemetry/telemetry';
import { TimeSeries } from './telemetry/time-series';
import { Waiters } from './waiters/waiters';

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
}

/** The domain over one store: what transports and the server API call, each as a thin layer. */
export interface Core extends Platform, DeviceServices, AccountServices {
  readonly settings: Settings;
  readonly state: State;
  readonly faults: Faults;
  readonly auth: DeviceAuth;
  readonly credentialsGuard: CredentialsGuard;
  readonly limits: Limits;
  readonly formats: Formats;
  readonly telemetry: Telemetry;
  readonly timeSeries: TimeSeries;
  readonly attributes: Attributes;
  readonly attributeUpdates: AttributeUpdates;
  readonly rpcDelivery: RpcDelivery;
  readonly rpcCalls: RpcCalls;
  readonly finishedRpcs: FinishedRpcs;
  readonly clientRpc: ClientRpc;
  readonly profiles: DeviceProfiles;
  readonly profileKeys: ProfileKeys;
  readonly connectivity: Connectivity;
  readonly claiming: Claiming;
  readonly provisioning: Provisioning;
  readonly firmware: Firmware;
  readonly waiters: Waiters;
  readonly callers: Callers;
}

const LOG_INTERVAL: Millis = 10_000;

/**
 * @param clientRpcBackend answers what the gateway does not answer itself; undefined = nobody does
 * @param codecs formats beside those that come with the gateway, which are none of theirs
 */
export function makeCore(
  state: State,
  settings: Settings,
  platform: Platform,
  clientRpcBackend?: ClientRpcBackend,
  codecs: readonly PayloadCodec[] = [],
): Core {
  const { clock, random, logger, metrics } = platform;
  // What one device does wrong it does with every message.
  const quiet = quietLogger(logger, clock, LOG_INTERVAL);
  const payload: PayloadSettings = {
    typeCast: settings.JSON_TYPE_CAST_ENABLED,
    maxStringLength: settings.JSON_MAX_STRING_VALUE_LENGTH,
  };
  const faults = new Faults(logger, clock);
  const json = new JsonFormat(payload);
  const size = new MessageSize(settings.TANDEM_MESSAGE_MAX_BYTES);
  const auth = new DeviceAuth(state.devices, settings.TANDEM_CREDENTIALS_CACHE_MAX, clock, metrics);
  const limits = new Limits(state.rateCounters, settings, clock, logger, metrics);
  const waiting = { events: state.events, auth, clock, random, limits };
  const strategy = settings.ACTORS_RPC_SUBMIT_STRATEGY_TYPE;
  const rpcDelivery = new RpcDelivery(waiting, state.rpcs, logger, {
    maxRetries: settings.ACTORS_RPC_MAX_RETRIES,
    strategy,
    responseTimeout:
      strategy === 'SEQUENTIAL_ON_RESPONSE_FROM_DEVICE' ? settings.ACTORS_RPC_RESPONSE_TIMEOUT_MS : undefined,
    ackTimeout: settings.COAP_TIMEOUT,
  });
  metrics.gauge('tandem_rpcs_untold', () => rpcDelivery.untold);
  const connectivity = new Connectivity(
    state.activity,
    random.uuid(),
    {
      defaultTimeout: settings.DEFAULT_INACTIVITY_TIMEOUT * 1_000,
      maxDevices: settings.TANDEM_ACTIVITY_MAX_DEVICES,
    },
    clock,
    logger,
    metrics,
  );
  const attributes = new Attributes(state.attributes, json, clock, quiet, limits, connectivity, size);
  const telemetry = new Telemetry(state.telemetryLog, json, clock, quiet, limits, size);
  const firmware = makeFirmware(state, settings, platform, limits);
  const profiles = new DeviceProfiles(state.devices, firmware.assignment, clock, random, {
    maxBytes: settings.TANDEM_PROFILE_DATA_MAX_BYTES,
    schemas: {
      maxBytes: settings.TANDEM_PROTO_SCHEMA_MAX_BYTES,
      maxTypes: settings.TANDEM_PROTO_SCHEMA_MAX_TYPES,
      maxFields: settings.TANDEM_PROTO_SCHEMA_MAX_FIELDS,
      maxNesting: settings.TANDEM_PROTO_SCHEMA_MAX_NESTING,
    },
  });
  const waitingCommandsFull = metrics.counter('tandem_limit_hits_total', { limit: 'TANDEM_RPC_MAX_WAITING' });
  const clientRpc = new ClientRpc(
    clock,
    settings.CLIENT_SIDE_RPC_TIMEOUT,
    clientRpcBackend,
    {
      max: settings.TANDEM_RPC_MAX_WAITING,
      perDevice: settings.TANDEM_RPC_MAX_WAITING_PER_DEVICE,
      refused: () => waitingCommandsFull.add(),
    },
    limits,
    auth,
  );
  metrics.gauge('tandem_client_rpcs_waiting', () => clientRpc.waiting);
  const services = makeDevices(state, settings, platform, {
    profiles,
    assignment: firmware.assignment,
    connectivity,
    attributes,
    telemetry,
    payload,
  });
  return {
    ...platform,
    settings,
    state,
    faults,
    auth,
    credentialsGuard: makeCredentialsGuard(state.failures, settings, platform),
    limits,
    formats: new Formats(
      json,
      makeCodecFormats(payload, codecs, { clock, logger: quiet, faults }),
      new ProfileFormats(
        state.devices,
        json,
        payload,
        {
          profiles: settings.TANDEM_PROFILE_FORMATS_CACHE_MAX,
          bytes: settings.TANDEM_PROTO_SCHEMAS_CACHE_MAX_BYTES,
        },
        (session) => auth.isCurrent(session),
        metrics,
      ),
    ),
    profiles,
    profileKeys: new ProfileKeys(state.devices, state.attributes, state.telemetryView),
    clientRpc,
    telemetry,
    timeSeries: new TimeSeries(state.telemetryView, state.materialiser, clock, settings.DATABASE_TS_MAX_INTERVALS),
    attributes,
    attributeUpdates: new AttributeUpdates(
      waiting,
      state.attributes,
      {
        gapDelivery: settings.TANDEM_HTTP_GAP_DELIVERY,
        sessionTimeout: settings.TB_TRANSPORT_SESSIONS_INACTIVITY_TIMEOUT,
      },
      logger,
    ),
    rpcDelivery,
    rpcCalls: new RpcCalls(
      state.rpcs,
      state.events,
      clock,
      random,
      {
        defaultTimeout: settings.DEFAULT_SERVER_SIDE_RPC_TIMEOUT,
        minTimeout: settings.MIN_SERVER_SIDE_RPC_TIMEOUT,
      },
      logger,
      limits,
      json,
      size,
    ),
    finishedRpcs: new FinishedRpcs(
      state.rpcs,
      settings.SQL_TTL_RPC_ENABLED ? settings.TANDEM_RPC_TTL * 1_000 : undefined,
      clock,
      logger,
      metrics,
    ),
    ...services,
    ...makeAccounts(state, settings, profiles, platform),
    connectivity,
    claiming: new Claiming(
      state,
      attributes,
      {
        duration: settings.SECURITY_CLAIM_DURATION,
        allowedByDefault: settings.SECURITY_CLAIM_ALLOW_CLAIMING_BY_DEFAULT,
        failures: settings.TANDEM_CLAIM_FAILURES,
      },
      clock,
      quiet,
      metrics,
      limits,
    ),
    provisioning: makeProvisioning(state, settings, platform, { ...services, attributes }),
    firmware,
    waiters: new Waiters(
      state.processes,
      state.rateCounters,
      {
        timeout: settings.TANDEM_WAITERS_TIMEOUT,
        rate: settings.TANDEM_WAITERS_RATE,
        maxQuestions: settings.TANDEM_WAITERS_MAX_QUESTIONS,
      },
      clock,
      metrics,
    ),
    callers: new Callers(settings.TANDEM_TRUSTED_PROXIES, clock, logger),
  };
}
