import { counter, gauge, histogram } from '../row';

const OPERATION = [
  'telemetry_append',
  'credentials_read',
  'device_write',
  'attributes_read',
  'attributes_write',
  'events_read',
  'events_write',
  'latest_read',
  'history_read',
  'rpc_read',
  'rpc_write',
  'limit_take',
] as const;

/** The log of accepted messages, the view made from it, and what it forgets. */
export const TELEMETRY_METRICS = {
  tandem_telemetry_backlog: gauge(
    'every process',
    'Accepted messages that wait for the materialiser, and on Redis for the slowest consumer group',
    { across: 'max' },
  ),
  tandem_materialiser_failures: gauge(
    'every process',
    'Steps of the materialiser that failed and ends of its thread, in a row; 0: it gets on, or runs elsewhere',
    { across: 'max' },
  ),
  tandem_telemetry_in_flight_bytes: gauge('redis', 'Telemetry that this process holds until Redis has it'),
  tandem_telemetry_keys_refused_total: counter(
    'api',
    'Values that are not in the view because their devices have as many telemetry keys as they may',
  ),
  tandem_telemetry_too_large_total: counter(
    'api',
    'Messages that are not in the view because they are too large for the materialiser',
  ),
  tandem_telemetry_left_out_total: counter(
    'redis',
    'Messages kept aside, and tried again, because keys of other programs are in the place of keys of the view',
  ),
  tandem_consumer_groups_expired_total: counter(
    'redis',
    'Consumer groups of other programs that were ended because they held back the telemetry log and did not read',
  ),
  tandem_retention_points_removed_total: counter(
    'api',
    'Points of the history that were removed because they were too old, too many or over',
  ),
  tandem_retention_progress_ratio: gauge(
    'api',
    'How much of the pass of the retention that is under way is done, 0 to 1; 1 between two',
    { across: 'max' },
  ),
  tandem_retention_last_pass_timestamp_seconds: gauge(
    'api',
    'When the last pass of the retention was through; 0 before the first one',
    { across: 'max' },
  ),
};

export const STORE_METRICS = {
  tandem_store_duration_seconds: histogram(
    'every process',
    'How long operations of the store took; messages of one commit are one of telemetry_append',
    {
      labels: { operation: OPERATION },
      buckets: [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    },
  ),
  tandem_store_failures_total: counter(
    'every process',
    'Operations of the store that failed, also those that it refused',
    { labels: { operation: OPERATION } },
  ),
  tandem_data_free_bytes: gauge('embedded', 'Free bytes on the disk of the data folder', { across: 'min' }),
  tandem_redis_writes_waiting: gauge(
    'redis',
    'Writes of this process that wait for Redis and its replicas (TANDEM_REDIS_WAIT_REPLICAS)',
  ),
  tandem_wake_subscriptions: gauge('redis', 'Devices whose changes Redis tells this process, also between two polls'),
  tandem_session_changes_missed_total: counter(
    'redis',
    'How often changes of other processes may have gone by unheard, so that everything cached was dropped',
  ),
  tandem_session_changes_unheard_total: counter(
    'redis',
    'Changes of profiles, devices and credentials that were answered before every other process had heard of them',
  ),
  tandem_devices_to_clear: gauge('redis', 'Deleted devices of which something was left when it was last looked', {
    across: 'max',
  }),
};
