// codec.ts: requests and replies as bytes, derived from the table in syscalls.ts. Every byte that comes in is hostile.
//
// Request: u32 number, u32 callId, the arguments in declared order.
// Reply:   u32 callId, u32 status; the result's fields in declared order, or after a refusal the message in UTF-8.
// All little-endian. A scalar is one 64-bit word; text and blob are their length in bytes as a word, then the bytes,
// padded with zeros to 8; sizes are their count as a word, then one word each. There is exactly one encoding of each
// value.

import { errorName, KernelError, KernelErrorCode, RAW_REFUSED } from "./errors.ts"
import { MAX_MESSAGE_BYTES } from "./limits.ts"
import {
  type Args,
  type FieldKind,
  type Fields,
  type Result,
  type SyscallName,
  type SyscallShape,
  Syscalls,
  syscallName,
  type Values,
} from "./syscalls.ts"

export const HEADER_BYTES = 8

const WORD_BYTES = 8
const STATUS_OK = 0
const MAX_INDEX = 0xffff_ffff
const MAX_WORD = 0xffff_ffff_ffff_ffffn
/** Keeps a refusal that quotes a long argument far below MAX_MESSAGE_BYTES. */
const MAX_REFUSAL_CHARACTERS = 1_000

const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** Length of `text` in UTF-8, in bytes. Cost: linear. */
export function utf8Bytes(text: string): number {
  return utf8.encode(text).length
}

/**
 * Encodes a request. A lone surrogate in a text travels as U+FFFD.
 *
 * @param callId 0 to 2^32 - 1; comes back in the reply
 * @param into   written from its start; without it a new array is made
 * @returns the message: a view of `into`, or the new array
 * @throws {KernelError} InvalidArgument: there is no such syscall, or a value is not of its field's kind
 * @throws {KernelError} RangeError: a value is out of its kind's range, or the message exceeds MAX_MESSAGE_BYTES or
 * `into`
 */
export function encodeRequest<N extends SyscallName>(
  name: N,
  callId: number,
  args: Args<N>,
  into?: Uint8Array,
): Uint8Array {
  const shape: SyscallShape | undefined = Syscalls[name]
  // A caller in plain JavaScript, or one whose types nobody has checked.
  if (shape === undefined) {
    throw new KernelError(
      "InvalidArgument",
      `no syscall is called "${name}"; there are ${Object.keys(Syscalls).join(", ")}`,
    )
  }
  if (typeof args !== "object" || args === null) {
    const names = Object.keys(shape.args).join(", ")
    throw new KernelError("InvalidArgument", `arguments of ${name} are ${args}, an object is needed: { ${names} }`)
  }
  return encode(name, shape.args, args, shape.number, callId, into)
}

/** Encodes the reply to a call that succeeded. Errors as for `encodeRequest`. */
export function encodeReply<N extends SyscallName>(name: N, callId: number, result: Result<N>): Uint8Array {
  return encode(name, Syscalls[name].result, result, callId, STATUS_OK, undefined)
}

/** Encodes a refusal. A message of more than 1,000 characters is cut. */
export function encodeRefusal(callId: number, error: KernelError): Uint8Array {
  const message = utf8.encode(error.message.slice(0, MAX_REFUSAL_CHARACTERS))
  const bytes = new Uint8Array(HEADER_BYTES + message.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, callId, true)
  view.setUint32(4, KernelErrorCode[error.code], true)
  bytes.set(message, HEADER_BYTES)
  return bytes
}

/**
 * Reads a request's header.
 * @returns the syscall's number, its name (`undefined` for an unknown number), and the caller's callId
 * @throws {KernelError} TruncatedMessage: fewer than HEADER_BYTES
 */
export function decodeHeader(bytes: Uint8Array): { number: number; name: SyscallName | undefined; callId: number } {
  const view = headerOf(bytes, "request")
  const number = view.getUint32(0, true)
  return { number, name: syscallName(number), callId: view.getUint32(4, true) }
}

/**
 * Reads the arguments of a request whose header named `name`. Blobs are copies.
 * @throws {KernelError} TruncatedMessage: bytes are missing
 * @throws {KernelError} RangeError: a number is out of its kind's range
 * @throws {KernelError} InvalidArgument: bytes are left over, padding is not zero, or a text is not UTF-8
 */
export function decodeArgs<N extends SyscallName>(name: N, bytes: Uint8Array): Args<N> {
  headerOf(bytes, `${name} request`)
  return decode(name, Syscalls[name].args, bytes)
}

/**
 * Reads a reply to `name`.
 * @throws {KernelError} the refusal that the reply carries; or, where the bytes are no reply, as for `decodeArgs`
 */
export function decodeReply<N extends SyscallName>(name: N, bytes: Uint8Array): { callId: number; result: Result<N> } {
  const view = headerOf(bytes, `${name} reply`)
  const status = view.getUint32(4, true)
  if (status !== STATUS_OK) {
    const code = errorName(status)
    if (code === undefined) throw new KernelError("InvalidArgument", `${name} reply: status ${status} is no error code`)
    throw new KernelError(code, lenientUtf8.decode(bytes.subarray(HEADER_BYTES)))
  }
  return { callId: view.getUint32(0, true), result: decode(name, Syscalls[name].result, bytes) }
}

/** The raw form of a reply: its first result word, 0 where there is none, all ones where the call was refused. */
export function rawResult(reply: Uint8Array): bigint {
  const view = headerOf(reply, "reply")
  if (view.getUint32(4, true) !== STATUS_OK) return RAW_REFUSED
  return view.byteLength < HEADER_BYTES + WORD_BYTES ? 0n : view.getBigUint64(HEADER_BYTES, true)
}

function headerOf(bytes: Uint8Array, what: string): DataView {
  if (bytes.length < HEADER_BYTES) {
    throw new KernelError("TruncatedMessage", `${what} has ${bytes.length} bytes, its header alone has ${HEADER_BYTES}`)
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

type Plain = number | bigint | Uint8Array | readonly number[]

function encode(
  what: string,
  fields: Fields,
  values: Readonly<Record<string, unknown>>,
  first: number,
  second: number,
  into: Uint8Array | undefined,
): Uint8Array {
  const plain = Object.entries(fields).map(([key, kind]) => toPlain(kind, values[key], `${what}.${key}`))
  const total = plain.reduce<number>((sum, value) => sum + encodedBytes(value), HEADER_BYTES)
  const room = Math.min(into?.length ?? MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES)
  if (total > room) {
    throw new KernelError(
      "RangeError",
      `${what} takes ${total} bytes as a message, at most ${room} fit: send less at once`,
    )
  }
  const bytes = into?.subarray(0, total) ?? new Uint8Array(total)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  view.setUint32(0, first, true)
  view.setUint32(4, second, true)
  let at = HEADER_BYTES
  for (const value of plain) at = write(bytes, view, at, value)
  return bytes
}

function toPlain(kind: FieldKind, value: unknown, what: string): Plain {
  switch (kind) {
    case "index":
      return wholeNumber(value, MAX_INDEX, what)
    case "size":
      return wholeNumber(value, Number.MAX_SAFE_INTEGER, what)
    case "word":
      if (typeof value !== "bigint") throw wrongKind(what, value, "a bigint")
      if (value < 0n || value > MAX_WORD) {
        throw new KernelError("RangeError", `${what} is ${value}, allowed are 0 to 2^64 - 1`)
      }
      return value
    case "text":
      if (typeof value !== "string") throw wrongKind(what, value, "a string")
      return utf8.encode(value)
    case "blob":
      if (!(value instanceof Uint8Array)) throw wrongKind(what, value, "a Uint8Array")
      return value
    case "sizes":
      if (!Array.isArray(value)) throw wrongKind(what, value, "an array of numbers")
      return value.map((item, index) => wholeNumber(item, Number.MAX_SAFE_INTEGER, `${what}[${index}]`))
  }
}

function wholeNumber(value: unknown, max: number, what: string): number {
  if (typeof value !== "number" || (Number.isFinite(value) && !Number.isInteger(value)) || Number.isNaN(value)) {
    throw wrongKind(what, value, "a whole number")
  }
  if (value < 0 || value > max) throw new KernelError("RangeError", `${what} is ${value}, allowed are 0 to ${max}`)
  return value
}

function wrongKind(what: string, value: unknown, wanted: string): KernelError {
  const got = typeof value === "number" ? String(value) : value === null ? "null" : typeof value
  return new KernelError("InvalidArgument", `${what} must be ${wanted}, got ${got}`)
}

function encodedBytes(value: Plain): number {
  if (value instanceof Uint8Array) return WORD_BYTES + padded(value.length)
  return typeof value === "object" ? WORD_BYTES * (1 + value.length) : WORD_BYTES
}

function write(bytes: Uint8Array, view: DataView, at: number, value: Plain): number {
  if (typeof value === "bigint") {
    view.setBigUint64(at, value, true)
    return at + WORD_BYTES
  }
  if (typeof value === "number") return writeSize(view, at, value)
  let next = writeSize(view, at, value.length)
  if (!(value instanceof Uint8Array)) {
    for (const item of value) next = writeSize(view, next, item)
    return next
  }
  const end = next + padded(value.length)
  bytes.set(value, next)
  bytes.fill(0, next + value.length, end)
  return end
}

function writeSize(view: DataView, at: number, value: number): number {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
  return at + WORD_BYTES
}

function padded(bytes: number): number {
  return Math.ceil(bytes / WORD_BYTES) * WORD_BYTES
}

function decode<F extends Fields>(what: string, fields: F, bytes: Uint8Array): Values<F> {
  const reader = new Reader(bytes)
  const values: Record<string, unknown> = {}
  for (const [key, kind] of Object.entries(fields)) values[key] = reader.read(kind, `${what}.${key}`)
  reader.finish(what)
  return values as Values<F>
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = HEADER_BYTES

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  read(kind: FieldKind, what: string): Plain | string {
    switch (kind) {
      case "index":
        return this.#number(MAX_INDEX, what)
      case "size":
        return this.#number(Number.MAX_SAFE_INTEGER, what)
      case "word":
        return this.#view.getBigUint64(this.#take(WORD_BYTES, what), true)
      case "text":
        return this.#text(what)
      case "blob":
        return this.#bytesOf(what).slice()
      case "sizes":
        return this.#sizes(what)
    }
  }

  finish(what: string): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw new KernelError("InvalidArgument", `${what} ends with ${left} bytes that belong to no field`)
  }

  #take(bytes: number, what: string): number {
    const at = this.#at
    const left = this.#bytes.length - at
    if (bytes > left)
      throw new KernelError("TruncatedMessage", `${what} needs ${bytes} bytes, the message has ${left} left`)
    this.#at = at + bytes
    return at
  }

  #number(max: number, what: string): number {
    const at = this.#take(WORD_BYTES, what)
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32
    if (value > max) {
      throw new KernelError("RangeError", `${what} is ${this.#view.getBigUint64(at, true)}, allowed are 0 to ${max}`)
    }
    return value
  }

  #bytesOf(what: string): Uint8Array {
    const length = this.#number(Number.MAX_SAFE_INTEGER, `${what} length`)
    const at = this.#take(padded(length), what)
    for (let pad = at + length; pad < this.#at; pad++) {
      if (this.#bytes[pad] !== 0)
        throw new KernelError("InvalidArgument", `${what} is padded with other bytes than zero`)
    }
    return this.#bytes.subarray(at, at + length)
  }

  #text(what: string): string {
    const bytes = this.#bytesOf(what)
    try {
      return strictUtf8.decode(bytes)
    } catch (cause) {
      throw new KernelError("InvalidArgument", `${what} is not valid UTF-8`, { cause })
    }
  }

  #sizes(what: string): number[] {
    const count = this.#number(Number.MAX_SAFE_INTEGER, `${what} count`)
    const left = this.#bytes.length - this.#at
    // Checked before anything is allocated: the count is the sender's word only.
    if (count > left / WORD_BYTES) {
      throw new KernelError("TruncatedMessage", `${what} announces ${count} words, the message has ${left} bytes left`)
    }
    return Array.from({ length: count }, (_, index) => this.#number(Number.MAX_SAFE_INTEGER, `${what}[${index}]`))
  }
}
