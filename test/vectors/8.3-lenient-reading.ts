import { REFUSED, telemetry } from './framework/payload-vector';
import type { Vector } from './framework/vector';

/** Contract 8.3, each over both protocols. */
export const LENIENT_READING: readonly Vector[] = [
  telemetry('071', '{temperature:42,humidity:73}', ['humidity LONG 73', 'temperature LONG 42']),
  telemetry('072', '{attribute1: value1, attribute2:true, attribute3: 43.0}', [
    'attribute1 STRING "value1"',
    'attribute2 BOOLEAN true',
    'attribute3 DOUBLE 43.0',
  ]),
  telemetry('073', `{'a':'b'}`, ['a STRING "b"']),
  telemetry('074', '{"a":1;"b":2}', ['a LONG 1', 'b LONG 2']),
  telemetry('075', '{"a"=1}', ['a LONG 1']),
  telemetry('076', '{"a"=>1}', ['a LONG 1']),
  telemetry('077', '/*c*/{"a":1}', ['a LONG 1']),
  telemetry('078', '{"a":1 // c\n}', ['a LONG 1'], { says: 'POST /tok1/telemetry {"a":1 // c newline }' }),
  telemetry('079', '{"a":TRUE}', ['a BOOLEAN true']),
  telemetry('080', '{"a":NULL}', []),
  telemetry('081', '{"a":1,"a":2}', ['a LONG 2']),
  telemetry('082', '{"a":NaN}', ['a STRING "NaN"']),
  telemetry('083', '{"a":+5}', ['a STRING "+5"']),
  telemetry('084', '{"a":0123}', ['a LONG 123']),
  telemetry('085', '{"a":0x1F}', ['a STRING "0x1F"']),
  telemetry('086', '{"a":hello world}', REFUSED),
  telemetry('087', '\ufeff{"a":1}', ['a LONG 1'], { says: 'POST /tok1/telemetry, byte order mark then {"a":1}' }),
];
