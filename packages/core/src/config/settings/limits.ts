import { rateLimits } from '../rate-limits';
import { millis, type Setting, whole } from '../setting';

/** Rate limits of tenants and devices. */
export const LIMITS_SETTINGS = {
  TANDEM_RATE_LIMIT_TENANT_MSGS: rateLimits(
    'Most messages of all devices of a tenant that are no telemetry and no attributes; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_TENANT_TELEMETRY_MSGS: rateLimits(
    'Most messages of all devices of a tenant that bring telemetry or attributes, also `{}`; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_TENANT_TELEMETRY_DATA_POINTS: rateLimits(
    'Most key-value pairs in the telemetry and attributes of all devices of a tenant; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_DEVICE_MSGS: rateLimits(
    'Most messages of one device that are no telemetry and no attributes; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_MSGS: rateLimits(
    'Most messages of one device that bring telemetry or attributes, also `{}`; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_DEVICE_TELEMETRY_DATA_POINTS: rateLimits(
    'Most key-value pairs in the telemetry and attributes of one device; beyond it 429 / 4.29',
  ),
  TANDEM_RATE_LIMIT_TIMEOUT: millis(
    500,
    'How long a message waits until Redis has counted it for its limits; then this process counts alone, for a second at least',
  ),
  TANDEM_RATE_LIMIT_BUCKETS_MAX: whole(
    100_000,
    { min: 1 },
    'Buckets of rate limits that this process keeps: with the embedded store, or while Redis does not answer',
  ),
} as const satisfies Record<string, Setting<unknown>>;
