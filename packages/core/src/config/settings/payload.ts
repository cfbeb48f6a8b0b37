import { MATERIALISER_MESSAGE_MAX } from '../../telemetry/materialisable';
import { flag, paths, type Setting, whole } from '../setting';

/** What devices send: formats, values, schemas. */
export const PAYLOAD_SETTINGS = {
  TANDEM_FORMAT_MAX_BYTES: whole(
    1_048_576,
    { min: 1, unit: 'bytes' },
    'Longest body of a device that is not in JSON: CBOR, SenML, protobuf, codecs of your own; beyond it 413 / 4.13',
  ),
  TANDEM_MESSAGE_MAX_BYTES: whole(
    MATERIALISER_MESSAGE_MAX,
    { min: 1_024, max: MATERIALISER_MESSAGE_MAX, unit: 'bytes' },
    'What the telemetry or attributes of one message, a command or a reply may take as JSON text, in which a control character has six bytes; beyond it 413 / 4.13',
  ),
  TANDEM_PAYLOAD_CODECS: paths('JavaScript modules with payload codecs of your own; see the guide on customising'),
  JSON_TYPE_CAST_ENABLED: flag(true, 'Whether strings made of digits become numbers'),
  JSON_MAX_STRING_VALUE_LENGTH: whole(0, { min: 0, unit: 'characters' }, 'Longest string value; 0 = unlimited'),
  TANDEM_PROFILE_DATA_MAX_BYTES: whole(
    1_048_576,
    { min: 1_024, unit: 'bytes' },
    'Longest `profileData` of a device profile; a longer one gets 400',
  ),
  TANDEM_PROTO_SCHEMA_MAX_BYTES: whole(
    65_536,
    { min: 1, max: 1_048_576, unit: 'bytes' },
    'Longest protobuf schema of a device profile; one beyond this or the next three limits gets 400',
  ),
  TANDEM_PROTO_SCHEMA_MAX_TYPES: whole(100, { min: 1, max: 1_000 }, 'Most messages and enums of a protobuf schema'),
  TANDEM_PROTO_SCHEMA_MAX_FIELDS: whole(
    500,
    { min: 1, max: 2_000 },
    'Most fields and enum values of a protobuf schema, in all',
  ),
  TANDEM_PROTO_SCHEMA_MAX_NESTING: whole(
    16,
    { min: 1, max: 30 },
    'How deep messages of a protobuf schema may hold messages; the parts of its package count alike',
  ),
  TANDEM_PROFILES_CACHE_MAX: whole(10_000, { min: 1 }, 'Device profiles in the process cache of the server API'),
  TANDEM_PROFILE_FORMATS_CACHE_MAX: whole(
    10_000,
    { min: 1 },
    'Device profiles in the process cache of payload formats',
  ),
  TANDEM_PROTO_SCHEMAS_CACHE_MAX_BYTES: whole(
    16_777_216,
    { min: 1, unit: 'bytes' },
    'Sources of protobuf schemas in the process cache; with what is made of them they take some seven times as much memory',
  ),
} as const satisfies Record<string, Setting<unknown>>;
