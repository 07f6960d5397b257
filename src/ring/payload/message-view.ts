// message-view.ts: a message in memory as an object: reading a field is a typed-array access, nothing is serialised.

import { ensureOptions, RingError } from "../errors.ts"
import {
  FIELD_BYTES,
  type Field,
  type FieldType,
  type MessageType,
  type MessageValues,
  type Schema,
} from "./message-type.ts"

/** The fields, as properties that read and write memory. Numbers out of a field's range wrap, as in typed arrays. */
export type MessageView<S extends Schema> = MessageValues<S> & ViewMethods<S>

interface ViewMethods<S extends Schema> {
  /** A copy of all fields, as a plain object. */
  values(): MessageValues<S>
  /** Writes the fields that are given, and leaves the others as they are. */
  assign(values: Partial<MessageValues<S>>): void
}

const ARRAYS = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
} as const

type Elements = { [index: number]: number | bigint }

/** A view that moves: where it is now, and until when it may be looked at. */
export interface Place {
  /** Address of the message, a multiple of 8. */
  address: number
  /** The ring end's generation in which it is this end's to look at. */
  generation: number
}

/** The ring end whose slots they are. */
export interface Generations {
  readonly generation: number
}

/**
 * A view of the message at `address`, for good. What it accesses are constants to the compiler, so a field costs what an
 * element of a typed array costs.
 * @param buffer of the memory in which it stands
 */
export function fixedView<S extends Schema>(
  type: MessageType<S>,
  buffer: ArrayBufferLike,
  address: number,
): MessageView<S> {
  return viewOf(type, field => {
    const elements = elementsOf(buffer, field.type)
    const first = (address + field.offset) / FIELD_BYTES[field.type]
    return field.length === undefined ? single(elements, first) : array(field, field.length, elements, () => first)
  })
}

/**
 * A view of the message at `place`. It throws once `end` has gone on.
 * @throws {RingError} IllegalOperation (its properties): the message was released or committed
 */
export function movingView<S extends Schema>(
  type: MessageType<S>,
  buffer: ArrayBufferLike,
  place: Place,
  end: Generations,
): MessageView<S> {
  return viewOf(type, field => {
    const elements = elementsOf(buffer, field.type)
    const size = FIELD_BYTES[field.type]
    const { name, offset, length } = field
    const first = (): number => {
      if (place.generation !== end.generation) refuseStale(name)
      return (place.address + offset) / size
    }
    if (length !== undefined) return array(field, length, elements, first)
    return {
      get: () => elements[first()],
      set: (value: number | bigint) => {
        elements[first()] = value
      },
    }
  })
}

type Accessors = { get: () => unknown; set: (value: never) => void }

/** The properties stand on a prototype of the view's own, where V8 keeps them fast and inlines them. */
function viewOf<S extends Schema>(type: MessageType<S>, accessorsOf: (field: Field) => Accessors): MessageView<S> {
  const { fields } = type
  const methods: ViewMethods<S> = {
    values: () => Object.fromEntries(fields.map(({ name }) => [name, view[name]])) as MessageValues<S>,
    assign: values => {
      ensureOptions(values, "the fields to set")
      const given = Object.entries(values)
      // All of them first: a refusal leaves the message as it was.
      for (const [name, value] of given) ensureAssignable(fields, name, value)
      for (const [name, value] of given) view[name] = value
    },
  }
  for (const field of fields) Object.defineProperty(methods, field.name, { ...accessorsOf(field), enumerable: true })
  const view: Record<string, unknown> = Object.preventExtensions(Object.create(methods))
  return view as unknown as MessageView<S>
}

function single(elements: Elements, index: number): Accessors {
  return {
    get: () => elements[index],
    set: (value: number | bigint) => {
      elements[index] = value
    },
  }
}

function array(field: Field, length: number, elements: Elements, first: () => number): Accessors {
  return {
    get: () => {
      const start = first()
      return Array.from({ length }, (_, index) => elements[start + index])
    },
    set: (values: readonly (number | bigint)[]) => {
      ensureLength(field, values as unknown)
      const start = first()
      for (let index = 0; index < length; index++) elements[start + index] = values[index] as number | bigint
    },
  }
}

function elementsOf(buffer: ArrayBufferLike, type: FieldType): Elements {
  return new ARRAYS[type](buffer as ArrayBuffer) as Elements
}

function refuseStale(name: string): never {
  throw new RingError(
    "IllegalOperation",
    `Field ${name} belongs to a message that was released or committed, or whose ring was closed; read it before, or copy values()`,
  )
}

function ensureAssignable(fields: readonly Field[], name: string, value: unknown): void {
  const field = fields.find(field => field.name === name)
  if (field === undefined) {
    throw new RingError(
      "InvalidArgument",
      `The message has no field ${name}; it has ${fields.map(field => field.name).join(", ")}`,
    )
  }
  if (field.length === undefined) return ensureElement(field, value)
  ensureLength(field, value)
  for (const element of value) ensureElement(field, element)
}

/** Typed arrays make NaN or 0 of what is no number, and refuse what is no bigint when others are written already. */
function ensureElement({ name, type }: Field, value: unknown): void {
  const wanted = type === "u64" || type === "i64" ? "bigint" : "number"
  if (typeof value === wanted) return
  const example = wanted === "bigint" ? "1n" : "1"
  throw new RingError(
    "InvalidArgument",
    `Field ${name} is of type ${type} and given ${String(value)}, a ${typeof value}: a ${wanted} is needed, as ${example}`,
  )
}

function ensureLength({ name, type, length }: Field, values: unknown): asserts values is readonly unknown[] {
  if (!Array.isArray(values) && !ArrayBuffer.isView(values)) {
    throw new RingError(
      "InvalidArgument",
      `Field ${name} is an array of ${length} ${type}, and given ${String(values)}`,
    )
  }
  const { length: given } = values as unknown as ArrayLike<unknown>
  if (given === length) return
  throw new RingError("RangeError", `Field ${name} has ${length} elements, given are ${given}`)
}
