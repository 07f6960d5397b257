// errors.ts: what the ring and the notifications throw: misuse, a peer's misbehaviour, and page faults.

/** Misuse by the caller. Where the kernel has the same refusal it has the same name. */
export type RingErrorCode =
  | "InvalidArgument"
  | "RangeError"
  | "AlignmentError"
  | "IllegalOperation"
  | "NotARing"
  | "NotEnoughMemory"

/** The message names the argument, its value, the limit and the remedy. Nothing has changed. */
export class RingError extends Error {
  override readonly name = "RingError"
  readonly code: RingErrorCode

  constructor(code: RingErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
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

/** An access to a page that is not mapped here, or not with that right. Only the ring's own accesses end as this. */
export class PageFault extends Error {
  override readonly name = "PageFault"
  /** Virtual address; -1 when it is not known (no fault handler was installed) or lies outside the VSpace. */
  readonly address: number
  readonly access: "read" | "write" | "unknown"

  constructor(address: number, access: "read" | "write" | "unknown", options?: ErrorOptions) {
    const where = address < 0 ? "an unknown address" : `0x${address.toString(16)}`
    super(
      `Page fault: ${access} access at ${where}; map a frame there with that permission, or the capability is gone`,
      options,
    )
    this.address = address
    this.access = access
  }
}
