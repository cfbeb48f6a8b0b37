import { Enum, type Field, Namespace, type ReflectionObject, type Root, Type } from 'protobufjs';
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoType, ScalarName } from './schema';
import type { SchemaFaults } from './schema-faults';
import type { SchemaLimits, SchemaNotes } from './schema-guard';

const FIELD_NUMBERS = { min: 1, max: 536_870_911 };
/** Kept by the language for itself. */
const OWN_NUMBERS = { min: 19_000, max: 19_999 };
const ENUM_NUMBERS = { min: -2_147_483_648, max: 2_147_483_647 };
const SCALARS: ReadonlySet<string> = new Set<ScalarName>([
  ...(['double', 'float', 'int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64'] as const),
  ...(['fixed32', 'fixed64', 'sfixed32', 'sfixed64', 'bool', 'string', 'bytes'] as const),
]);

interface Read {
  readonly message: ProtoMessage;
  /** Messages on the longest way down, this one included. */
  readonly depth: number;
}

/** The types of a parsed schema, all of them checked, as plain data. */
export class SchemaTypes {
  /** `being read` is found again by a message that holds itself. */
  readonly #messages = new Map<Type, Read | 'being read'>();
  readonly #enums = new Map<Enum, ProtoEnum>();
  /** `.` and the package. */
  readonly #prefix: string;
  readonly #last: Type | undefined;

  /** @throws TandemError BAD_REQUEST */
  constructor(
    private readonly root: Root,
    private readonly notes: SchemaNotes,
    private readonly limits: SchemaLimits,
    private readonly faults: SchemaFaults,
  ) {
    const top = packageOf(root);
    this.#prefix = top === root ? '.' : `${top.fullName}.`;
    this.#last = top.nestedArray.findLast((one) => one instanceof Type);
    this.#readAll(top);
  }

  /** @throws TandemError BAD_REQUEST */
  lastMessage(): ProtoMessage {
    if (!this.#last) throw this.faults.inAll('there is no message');
    return this.#read(this.#last).message;
  }

  /** @param field of the type; the type itself where there is none */
  lineOf(type: string, field?: string): number {
    return this.notes.lines.get(field === undefined ? type : `${type}.${field}`) ?? 1;
  }

  #readAll(namespace: Namespace): void {
    for (const one of namespace.nestedArray) {
      if (one instanceof Type) this.#read(one);
      if (one instanceof Enum) this.#enum(one);
      if (one instanceof Namespace) this.#readAll(one);
    }
  }

  #read(type: Type): Read {
    const name = this.#nameOf(type);
    const known = this.#messages.get(type);
    if (known === 'being read') throw this.faults.at(this.lineOf(name), `'${name}' holds itself`);
    if (known) return known;
    this.#messages.set(type, 'being read');
    let depth = 0;
    const fields: ProtoField[] = [];
    for (const field of type.fieldsArray) {
      const resolved = this.#resolved(type, field);
      let fieldType: ProtoType;
      if (resolved instanceof Type) {
        const inner = this.#read(resolved);
        depth = Math.max(depth, inner.depth);
        fieldType = inner.message;
      } else {
        fieldType = resolved instanceof Enum ? this.#enum(resolved) : { kind: 'scalar', name: resolved };
      }
      fields.push(this.#field(name, field, fieldType));
    }
    if (++depth > this.limits.maxNesting) {
      throw this.faults.at(this.lineOf(name), `messages are nested more than ${this.limits.maxNesting} deep`);
    }
    this.#refuseSharedNames(name, fields);
    const read = {
      message: { kind: 'message', name, fields: fields.sort((a, b) => a.number - b.number) },
      depth,
    } as const;
    this.#messages.set(type, read);
    return read;
  }

  /** Not by the parser, which looks into what a message holds before it looks at what is around it. */
  #resolved(message: Type, { name, type }: Field): Type | Enum | ScalarName {
    if (isScalar(type)) return type;
    const found = type.startsWith('.')
      ? typeIn(this.root, type.slice(1).split('.'))
      : typeFrom(message, type.split('.'));
    if (!found) throw this.faults.at(this.lineOf(this.#nameOf(message), name), `there is no type '${type}'`);
    return found;
  }

  #field(message: string, { name, id, repeated, partOf }: Field, type: ProtoType): ProtoField {
    const own = id >= OWN_NUMBERS.min && id <= OWN_NUMBERS.max;
    if (id < FIELD_NUMBERS.min || id > FIELD_NUMBERS.max || own) {
      throw this.faults.at(this.lineOf(message, name), `'${name}' cannot have the number ${id}`);
    }
    const optional = this.notes.optional.has(`${message}.${name}`);
    const oneof = partOf?.name;
    return {
      name,
      jsonName: jsonNameOf(name),
      number: id,
      type,
      repeated,
      optional,
      oneof,
      hasPresence: !repeated && (optional || oneof !== undefined || type.kind === 'message'),
    };
  }

  #enum(type: Enum): ProtoEnum {
    const known = this.#enums.get(type);
    if (known) return known;
    const name = this.#nameOf(type);
    const values = Object.entries(type.values);
    if (values[0]?.[1] !== 0) {
      throw this.faults.at(this.lineOf(name), `the first value of '${name}' must have the number 0`);
    }
    for (const [value, number] of values) {
      if (number < ENUM_NUMBERS.min || number > ENUM_NUMBERS.max) {
        throw this.faults.at(this.lineOf(name, value), `'${value}' cannot have the number ${number}`);
      }
    }
    const read = { kind: 'enum', name, names: new Map(values.map(([value, number]) => [number, value])) } as const;
    this.#enums.set(type, read);
    return read;
  }

  #refuseSharedNames(message: string, fields: readonly ProtoField[]): void {
    const names = new Map<string, string>();
    for (const { name, jsonName } of fields) {
      const other = names.get(jsonName);
      if (other !== undefined) {
        throw this.faults.at(this.lineOf(message, name), `'${name}' and '${other}' are '${jsonName}' both in JSON`);
      }
      names.set(jsonName, name);
    }
  }

  #nameOf({ fullName }: Type | Enum): string {
    return fullName.slice(this.#prefix.length);
  }
}

/** The innermost namespace that the `package` made: it alone holds types. */
function packageOf(root: Root): Namespace {
  let top: Namespace = root;
  for (;;) {
    const [only] = top.nestedArray;
    if (!(only instanceof Namespace) || only instanceof Type) return top;
    top = only;
  }
}

/** The innermost scope that has the first part of a name decides, whether or not it has the rest. */
function typeFrom(message: Type, parts: readonly string[]): Type | Enum | undefined {
  const [first = ''] = parts;
  for (let scope: Namespace | null = message; scope; scope = scope.parent) {
    const found = memberOf(scope, first);
    // A package is no type: what is around it may have one of its name.
    if (found && (parts.length > 1 || isType(found))) return typeIn(scope, parts);
  }
  return undefined;
}

function typeIn(scope: Namespace, parts: readonly string[]): Type | Enum | undefined {
  let found: ReflectionObject | undefined = scope;
  for (const part of parts) found = found instanceof Namespace ? memberOf(found, part) : undefined;
  return found && isType(found) ? found : undefined;
}

/** Types and packages, and not the fields that `get` finds as well. */
const memberOf = ({ nested = {} }: Namespace, name: string): ReflectionObject | undefined =>
  Object.hasOwn(nested, name) ? nested[name] : undefined;

const isType = (found: ReflectionObject): found is Type | Enum => found instanceof Type || found instanceof Enum;

const isScalar = (type: string): type is ScalarName => SCALARS.has(type);

/** As protobuf's JSON form does: what follows an underscore is a capital. */
const jsonNameOf = (name: string): string =>
  name.replace(/_+([A-Za-z0-9])?/g, (_underscores, next: string | undefined) => next?.toUpperCase() ?? '');
