import type { ProtoField, ProtoMessage } from './schema';

/** 64-bit integers are BigInts, all other numbers are numbers; an enum is its number. */
export type ScalarValue = boolean | number | bigint | string | Buffer;
export type SingleValue = ScalarValue | MessageValue;
export type FieldValue = SingleValue | SingleValue[];

/** A message as it was sent: what is absent is undefined. */
export class MessageValue {
  readonly #values: (FieldValue | undefined)[];
  /** Name of a oneof -> place of its member that is set. */
  #oneofs: Map<string, number> | undefined;

  constructor(readonly message: ProtoMessage) {
    this.#values = new Array(message.fields.length);
  }

  /** @param at place of the field among those of the message */
  get(at: number): FieldValue | undefined {
    return this.#values[at];
  }

  /** Of the members of a oneof, the one that is set last stays. */
  set(at: number, field: ProtoField, value: FieldValue): void {
    if (field.oneof !== undefined) {
      this.#oneofs ??= new Map();
      const other = this.#oneofs.get(field.oneof);
      if (other !== undefined) this.#values[other] = undefined;
      this.#oneofs.set(field.oneof, at);
    }
    this.#values[at] = value;
  }
}

/** Fields stand by number. @returns -1 where there is none of the number */
export function placeOf({ fields }: ProtoMessage, number: number): number {
  let from = 0;
  let to = fields.length - 1;
  while (from <= to) {
    const middle = (from + to) >>> 1;
    const found = fields[middle]?.number ?? 0;
    if (found === number) return middle;
    if (found < number) from = middle + 1;
    else to = middle - 1;
  }
  return -1;
}
