/** A schema as it is after reading: plain data, from which bytes are read and written without generated code. */

export type ProtoType = ProtoScalar | ProtoEnum | ProtoMessage;

export type ScalarName =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes';

export interface ProtoScalar {
  readonly kind: 'scalar';
  readonly name: ScalarName;
}

export interface ProtoEnum {
  readonly kind: 'enum';
  readonly name: string;
  /** Number -> name; the first is that of 0. */
  readonly names: ReadonlyMap<number, string>;
}

export interface ProtoMessage {
  readonly kind: 'message';
  readonly name: string;
  /** By number. No message holds one of its own kind, at any depth. */
  readonly fields: readonly ProtoField[];
}

export interface ProtoField {
  readonly name: string;
  /** The name in JSON: `inner_key` is `innerKey`. */
  readonly jsonName: string;
  readonly number: number;
  readonly type: ProtoType;
  readonly repeated: boolean;
  /** Whether it can be told from its default: `optional`, messages, members of a oneof. */
  readonly hasPresence: boolean;
  /** Whether it was written with `optional`. */
  readonly optional: boolean;
  /** Name of the oneof it is a member of. */
  readonly oneof: string | undefined;
}

export const fieldOf = (message: ProtoMessage, name: string): ProtoField | undefined =>
  message.fields.find((field) => field.name === name);
