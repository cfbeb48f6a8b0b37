import { counter, gauge } from '../row';

/** Who they are, and whether they are there. */
export const DEVICE_METRICS = {
  tandem_sessions: gauge('every process', 'Devices with a session of this process'),
  tandem_sessions_to_review: gauge(
    'every process',
    'Devices that are waited on and whose changes may have gone by unheard',
  ),
  tandem_devices_watched: gauge(
    'every process',
    'Devices that polls, observations or commands of this process wait for',
  ),
  tandem_feed_devices: gauge('every process', 'Devices whose changes somebody follows live'),
  tandem_devices_became_active_total: counter('every process', 'Devices that became active'),
  tandem_devices_became_inactive_total: counter('api', 'Devices that were found inactive'),
  tandem_activity_unreported: gauge('every process', 'Devices with activity that is not reported yet'),
  tandem_credentials_cached: gauge('every process', 'Credentials in the process cache'),
  tandem_credentials_cache_misses_total: counter('every process', 'Credentials read from the store'),
  tandem_credentials_guarded_lookups: gauge(
    'every process',
    'Lookups of credentials that may lock an address, under way or waiting for their turn',
  ),
  tandem_wrong_credentials_total: counter(
    'every process',
    'Wrong credentials of devices over HTTP and DTLS, and from addresses proved by Echo',
  ),
  tandem_wrong_credentials_addresses: gauge(
    'every process',
    'Addresses whose wrong credentials this process remembers',
  ),
  tandem_wrong_credentials_unshared_total: counter(
    'every process',
    'Questions about wrong credentials that the store did not answer and this process decided alone',
  ),
  tandem_locked_addresses: gauge('every process', 'Addresses that this process locks out', { across: 'max' }),
  tandem_addresses_locked_total: counter(
    'every process',
    'How often this process locked an address out, or learnt that another one has',
  ),
  tandem_locked_addresses_refused_total: counter(
    'every process',
    'Requests and handshakes of devices refused for wrong credentials of their address before',
  ),
  tandem_profile_transports_cached: gauge('every process', 'Device profiles in the process cache'),
  tandem_profile_formats_cached: gauge('every process', 'Device profiles whose payload format is in the process cache'),
  tandem_protobuf_schemas_cached: gauge(
    'every process',
    'Sets of protobuf schemas in the process cache; profiles of the same schemas share one',
  ),
  tandem_protobuf_schemas_cached_bytes: gauge(
    'every process',
    'Length of the sources of the protobuf schemas in the process cache',
  ),
  tandem_protobuf_schemas_made_total: counter(
    'every process',
    'Sets of protobuf schemas that came into the process cache',
  ),
  tandem_device_directory_devices: gauge('api', 'Devices that this process keeps in memory to list them', {
    across: 'max',
  }),
  tandem_device_directory_loads_total: counter(
    'api',
    'How often all devices were read, to keep them or to make one list of them',
  ),
};

/** Commands in both directions. */
export const RPC_METRICS = {
  tandem_client_rpcs_waiting: gauge('every process', 'Commands of devices that wait for a reply'),
  tandem_rpcs_untold: gauge(
    'every process',
    'Commands that have arrived and of which the store, being away, has not heard yet',
  ),
  tandem_rpcs_displaced_total: counter(
    'every process',
    'Finished persistent commands that made room for newer ones of their device: TANDEM_RPC_FINISHED_MAX',
  ),
  tandem_rpcs_outdated_total: counter(
    'api',
    'Finished persistent commands that were removed for their age: TANDEM_RPC_TTL',
  ),
  tandem_redis_rpc_devices_cached: gauge('redis', 'Commands of which this process remembers the device'),
};

export const PROVISIONING_METRICS = {
  tandem_provisions_running: gauge('every process', 'Provisioning requests under way'),
  tandem_provisions_total: counter('every process', 'Provisioning requests, by what became of them', {
    labels: {
      outcome: {
        succeeded: 'the device was provisioned',
        failed: 'answered FAILURE',
        not_found: 'answered NOT_FOUND',
        locked: 'refused without a look at the key, for wrong ones of the same address before',
        abandoned: 'changed nothing because whoever sent it had gone',
      },
    },
  }),
  tandem_provision_subjects: gauge(
    'every process',
    'Addresses, as they stand on datagrams, whose unknown provisioning keys this process remembers',
  ),
};
