import type { ScalarName } from './schema';

/** How a value is laid out: the last three bits of its tag. */
export const VARINT = 0;
export const FIXED_64 = 1;
export const LENGTH_DELIMITED = 2;
export const START_GROUP = 3;
export const END_GROUP = 4;
export const FIXED_32 = 5;

export const WIRE_TYPES: Readonly<Record<ScalarName, number>> = {
  double: FIXED_64,
  float: FIXED_32,
  int32: VARINT,
  int64: VARINT,
  uint32: VARINT,
  uint64: VARINT,
  sint32: VARINT,
  sint64: VARINT,
  fixed32: FIXED_32,
  fixed64: FIXED_64,
  sfixed32: FIXED_32,
  sfixed64: FIXED_64,
  bool: VARINT,
  string: LENGTH_DELIMITED,
  bytes: LENGTH_DELIMITED,
};
