// message-type.ts: a message's schema: field names, types and offsets, from which views are made that read and write in place.

import { ensureOptions, RingError } from "../errors.ts"

/** What a field can be, by the size and the JavaScript type of its value. Little-endian, as the machines that share it. */
export const FIELD_BYTES = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8, f64: 8 } as const

export type FieldType = keyof typeof FIELD_BYTES

/**
 * A field: its type, or its type with where it stands and how often. Without `offset` it follows the one before it,
 * aligned to its size. With `length` it is an array, read and written as a whole.
 */
export type FieldSpec =
  | FieldType
  | { readonly type: FieldType; readonly offset?: number; readonly length?: undefined }
  | { readonly type: FieldType; readonly offset?: number; readonly length: number }

export type Schema = Readonly<Record<string, FieldSpec>>

type ElementValue<T extends FieldType> = T extends "u64" | "i64" ? bigint : number
type FieldValue<S extends FieldSpec> = S extends FieldType
  ? ElementValue<S>
  : S extends { readonly type: infer T extends FieldType; readonly length: number }
    ? readonly ElementValue<T>[]
    : S extends { readonly type: infer T extends FieldType }
      ? ElementValue<T>
      : never

/** The values of a message: numbers, bigints where a field has 64 bits and is no float, arrays where it has a length. */
export type MessageValues<S extends Schema> = { -readonly [K in keyof S]: FieldValue<S[K]> }

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** Bytes from the start of the message; a multiple of the type's size. */
  readonly offset: number
  /** Elements of an array; undefined for a single value. */
  readonly length: number | undefined
}

export interface MessageType<S extends Schema = Schema> {
  /** In the order of the schema. */
  readonly fields: readonly Field[]
  /** Bytes that a message takes: a multiple of 8. A slot must have at least as many. */
  readonly bytes: number
  /** Only for the compiler. */
  readonly schema: S
}

const MAX_MESSAGE_TYPE_BYTES = 1 << 20
const SLOT_ALIGN = 8
/** A view has these itself. */
const RESERVED = ["values", "assign", "constructor", "__proto__"]

/**
 * Declares a message: `defineMessage({ sequence: "u64", price: "f64", tag: { type: "u8", length: 16 } })`. Both ends
 * declare it alike; nothing of it travels.
 *
 * @throws {RingError} InvalidArgument: no field, an unknown type, a name that a view cannot have, a length below 1
 * @throws {RingError} AlignmentError: an offset that is no multiple of its type's size
 * @throws {RingError} RangeError: fields overlap, or the message would be over 1 MiB
 */
export function defineMessage<const S extends Schema>(schema: S): MessageType<S> {
  ensureOptions(schema, "the fields' names and types")
  const fields: Field[] = []
  let end = 0
  for (const [name, spec] of Object.entries(schema)) {
    const field = fieldOf(name, spec, end)
    fields.push(field)
    end = Math.max(end, endOf(field))
  }
  if (fields.length === 0) throw new RingError("InvalidArgument", "The schema has no fields; name at least one")
  refuseOverlaps(fields)
  if (end > MAX_MESSAGE_TYPE_BYTES) {
    throw new RingError(
      "RangeError",
      `The schema needs ${end} bytes, a message has at most ${MAX_MESSAGE_TYPE_BYTES}; send what is larger through a frame pool`,
    )
  }
  return { fields, bytes: align(end, SLOT_ALIGN), schema }
}

function fieldOf(name: string, spec: FieldSpec, next: number): Field {
  if (!/^[A-Za-z_$][\w$]*$/.test(name) || RESERVED.includes(name)) {
    throw new RingError(
      "InvalidArgument",
      `Field "${name}": a name is letters, digits, _ and $, not a digit first, and none of ${RESERVED.join(", ")}`,
    )
  }
  const { type, offset, length } = typeof spec === "string" ? { type: spec } : { offset: undefined, ...spec }
  const size = FIELD_BYTES[type]
  if (size === undefined) {
    throw new RingError(
      "InvalidArgument",
      `Field ${name} has type ${String(type)}; choose one of ${Object.keys(FIELD_BYTES).join(", ")}`,
    )
  }
  if (length !== undefined && !(Number.isInteger(length) && length >= 1)) {
    throw new RingError("InvalidArgument", `Field ${name} has length ${length}, which must be a whole number from 1`)
  }
  const at = offset ?? align(next, size)
  if (!Number.isInteger(at) || at < 0) {
    throw new RingError("InvalidArgument", `Field ${name} has offset ${at}, which must be a whole number from 0`)
  }
  if (at % size !== 0) {
    throw new RingError(
      "AlignmentError",
      `Field ${name} has offset ${at}, which must be a multiple of ${size}, the size of ${type}`,
    )
  }
  return { name, type, offset: at, length }
}

function refuseOverlaps(fields: readonly Field[]): void {
  const sorted = [...fields].sort((a, b) => a.offset - b.offset)
  for (const [index, field] of sorted.entries()) {
    const before = sorted[index - 1]
    if (before === undefined || endOf(before) <= field.offset) continue
    throw new RingError(
      "RangeError",
      `Field ${field.name} begins at ${field.offset}, but ${before.name} ends at ${endOf(before)}; move one of them`,
    )
  }
}

function endOf({ type, offset, length }: Field): number {
  return offset + FIELD_BYTES[type] * (length ?? 1)
}

function align(offset: number, size: number): number {
  return Math.ceil(offset / size) * size
}
