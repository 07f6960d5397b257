// errors.ts: the closed list of refusals. Names are seL4's; numbers travel on the wire and are never reused.

export const KernelErrorCode = {
  InvalidArgument: 1,
  InvalidCapability: 2,
  IllegalOperation: 3,
  RangeError: 4,
  AlignmentError: 5,
  FailedLookup: 6,
  TruncatedMessage: 7,
  DeleteFirst: 8,
  RevokeFirst: 9,
  NotEnoughMemory: 10,
  PeerGone: 32,
  Revoked: 33,
  DeadlineExceeded: 34,
  Cancelled: 35,
  /** Of no reply: there is nobody left to reply. */
  KernelGone: 36,
} as const

export type KernelErrorName = keyof typeof KernelErrorCode

/** The result of a refused call in the raw form: all ones, as in KaaL. */
export const RAW_REFUSED = 0xffff_ffff_ffff_ffffn

/**
 * A refusal that the caller can act on. The message names the argument, its value, the limit and the remedy.
 * Misbehaviour is not a KernelError: it ends the peer.
 */
export class KernelError extends Error {
  override readonly name = "KernelError"
  readonly code: KernelErrorName

  constructor(code: KernelErrorName, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const nameByCode = new Map<number, KernelErrorName>(
  Object.entries(KernelErrorCode).map(([name, code]) => [code, name as KernelErrorName]),
)

/** The name of a number from the wire, or `undefined` where no such code exists. */
export function errorName(code: number): KernelErrorName | undefined {
  return nameByCode.get(code)
}
