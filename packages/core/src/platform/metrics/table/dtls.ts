import { counter, gauge } from '../row';

export const DTLS_METRICS = {
  tandem_dtls_open: gauge('coaps', 'Whether CoAP over DTLS is served; 0: the log says why not', { across: 'min' }),
  tandem_dtls_sessions: gauge('coaps', 'Sessions'),
  tandem_dtls_strangers: gauge('coaps', 'Those of them that no device is known of'),
  tandem_dtls_sessions_ended_total: counter('coaps', 'Sessions that ended', {
    labels: {
      reason: {
        closed_by_peer: 'closed by the peer',
        replaced: 'another one at the same address',
        idle: 'nothing was heard of it for too long',
        evicted: 'room was needed for another',
        revoked:
          'its device was deleted or has other credentials now, or those whom certificates have to come from are others',
        expired: 'the certificate that it is by has expired',
        shutdown: 'the gateway was stopped',
        broken: 'it could not go on',
      },
    },
  }),
  tandem_dtls_running_handshakes: gauge('coaps', 'Handshakes under way'),
  tandem_dtls_waiting_handshakes: gauge('coaps', 'Handshakes that wait for their turn'),
  tandem_dtls_handshakes_total: counter('coaps', 'Handshakes that ended', {
    labels: {
      outcome: {
        opened: 'led to a session',
        resumed: 'led to one by resuming an earlier one',
        failed: 'refused, or broken off by the client',
        timed_out: 'it took too long',
        evicted: 'room was needed for another',
        replaced: 'the client began another one',
        shutdown: 'the gateway was stopped',
      },
    },
  }),
  tandem_dtls_handshake_failures_total: counter(
    'coaps',
    'Handshakes that failed for what the client has shown or done',
    {
      labels: {
        reason: {
          expired: 'the certificate of the client, or one that it is from, has expired',
          not_yet_valid: 'the certificate of the client, or one that it is from, is not valid yet',
          weak_key: 'the certificate of the client, or one that it is from, has a key or a signature that is too weak',
          too_large: 'the client shows more certificates than are taken',
          malformed: 'the certificate of the client is none',
          unknown_authority: 'no authority of the trust store has issued the certificate of the client',
          revoked: 'the certificate of the client, or one that it is from, is revoked',
          purpose: 'the certificate of the client is not for clients',
          untrusted: 'the certificate of the client cannot be verified',
          revocation_list:
            'the list of revoked certificates does not hold: it is outdated, or lacks one of the authorities',
          wrong_signature: 'the client does not have the key of its certificate',
          wrong_key: 'the client has a wrong pre-shared key, or names an identity that nobody has',
          no_common_suite: 'the client offers no cipher suite that is served',
          protocol_version: 'the client does not speak DTLS 1.2',
          message_too_long:
            'a message of the client is too long, as certificates of more than 32 KiB are, or in no order',
          by_client: 'the client has broken it off',
          other: 'the client has sent what does not belong there',
        },
      },
    },
  ),
  tandem_dtls_cookies_total: counter('coaps', 'Clients that were asked to prove their address'),
  tandem_dtls_dropped_total: counter('coaps', 'Datagrams dropped under DTLS', {
    labels: {
      reason: {
        source_datagrams: 'more than TANDEM_COAP_SOURCE_DATAGRAMS of one address',
        no_record: 'no record of DTLS',
        no_address: 'from an address that nothing can be sent to',
        locked: 'a ClientHello from an address that is locked out',
        no_session: 'no session at that address',
        bad_hello: 'a ClientHello that is none',
        repeated_hello: 'a ClientHello that has begun a handshake before',
        queue_full: 'too many of one handshake wait',
      },
    },
  }),
  tandem_dtls_key_lookups: gauge('coaps', 'Pre-shared keys being looked up'),
  tandem_dtls_key_lookups_refused_total: counter(
    'coaps',
    'Datagrams dropped under DTLS: more pre-shared keys being looked up than TANDEM_COAP_MAX_LOOKUPS',
  ),
  tandem_dtls_hellos: gauge('coaps', 'ClientHellos remembered to tell their repetitions'),
  tandem_dtls_sources: gauge('coaps', 'Source addresses whose datagrams are counted under DTLS'),
};
