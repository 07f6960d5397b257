// errors.ts: what the ring and the notifications throw: misuse, a peer's misbehaviour, and page faults.

/** Misuse by the caller. Where the kernel has the same refusal it has the same name. */
export type RingErrorCode =
  | "InvalidArgument"
  | "RangeError"
  | "AlignmentError"
  | "IllegalOperation"
  | "NotARing"
  | "NotEnoughMemory"
  /** Only of streams, which have no other way to say that the peer or the kernel has gone, or the capability. */
  | "Interrupted"

/** The message names the argument, its value, the limit and the remedy. Nothing has changed. */
export class RingError extends Error {
  override readonly name = "RingError"
  readonly code: RingErrorCode

  constructor(code: RingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * Whatever looks like an array would be copied as if it were one: a string as zeros, other typed arrays cut to bytes.
 * @throws {RingError} InvalidArgument: it is no Uint8Array (a Buffer is one)
 */
export function ensureBytes(name: string, value: unknown): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return
  const kind =
    value === null ? "null" : typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value
  throw new RingError(
    "InvalidArgument",
    `${name} is of type ${kind}, which must be Uint8Array; encode it with TextEncoder, or send values with PackedProducer`,
  )
}

/** @throws {RingError} InvalidArgument: it is no array */
export function ensureList(name: string, value: unknown): void {
  if (Array.isArray(value)) return
  const kind = value === null ? "null" : typeof value
  throw new RingError("InvalidArgument", `${name} is of type ${kind}, which must be an array of Uint8Arrays`)
}

/**
 * Plain JavaScript can leave out what TypeScript asks for.
 * @param needed what they must name
 * @throws {RingError} InvalidArgument: they are no object
 */
export function ensureOptions<T>(options: T | undefined, needed: string): asserts options is T {
  if (typeof options === "object" && options !== null) return
  const what = options === undefined ? "missing" : options === null ? "null" : `a ${typeof options}`
  throw new RingError("InvalidArgument", `options are ${what}: pass an object with ${needed}`)
}

/** The other end broke the protocol. This end cannot go on; the culprit is to be reported to the kernel. */
export class PeerMisbehaviorError extends Error {
  override readonly name = "PeerMisbehaviorError"
  readonly peer: "producer" | "consumer"
  /** The shared word that it wrote. */
  readonly what: string
  readonly value: number
  /** What the value may be. */
  readonly limit: string

  constructor(peer: "producer" | "consumer", what: string, value: number, limit: string) {
    super(`The ${peer} set ${what} to ${value}, which must be ${limit}; drop this ring and report its ${peer}`)
    this.peer = peer
    this.what = what
    this.value = value
    this.limit = limit
  }
}

/** What the kernel knows about a faulting address. */
export interface FaultExplanation {
  /** "lies in frame 3, mapped r; slot 100 has rights r", "is not mapped". */
  readonly where: string
  /** The slot of this component's capability to the object there; undefined where it has none. */
  readonly capability: number | undefined
}

/** An access to a page that is not mapped here, or not with that right. Only the ring's own accesses end as this. */
export class PageFault extends Error {
  override readonly name = "PageFault"
  /** Virtual address; -1 when it is not known (no fault handler was installed) or lies outside the VSpace. */
  readonly address: number
  readonly access: "read" | "write" | "unknown"
  /** The slot of this component's capability to what lies there; undefined where it has none, or nobody was asked. */
  readonly capability: number | undefined

  constructor(
    address: number,
    access: "read" | "write" | "unknown",
    explanation?: FaultExplanation,
    options?: ErrorOptions,
  ) {
    const where = address < 0 ? "an unknown address" : `0x${address.toString(16)}`
    const what = explanation === undefined ? "" : `, which ${explanation.where}`
    super(
      `Page fault: ${access} at ${where}${what}; map a frame there with that permission, or the capability is gone`,
      options,
    )
    this.address = address
    this.access = access
    this.capability = explanation?.capability
  }
}

/** What a peer can bring about at any time, also before this end is attached: of several peers it costs only that one. */
export function isSpoilt(error: unknown): error is PeerMisbehaviorError | PageFault | RingError {
  const noRing = error instanceof RingError && error.code === "NotARing"
  return noRing || error instanceof PeerMisbehaviorError || error instanceof PageFault
}
