// syscalls.ts: every syscall, its number, its arguments and its results, declared once. Numbers are KaaL's up to 0x1001;
// from 0x1010 up they are this kernel's own. The codec (codec.ts) and both ends' types are derived from this table.

/**
 * Kinds of a field on the wire. Scalars travel as one 64-bit little-endian word, as message registers do.
 * - `index`: 0 to 2^32 - 1, a number (slots, pids, rights, permissions, counts)
 * - `size`:  0 to 2^53 - 1, a number (bytes, virtual addresses, durations)
 * - `word`:  0 to 2^64 - 1, a bigint (badges)
 * - `text`:  UTF-8, its length in bytes in front
 * - `blob`:  bytes, their length in front
 * - `sizes`: an array of `size`, its length in front
 */
export type FieldKind = "index" | "size" | "word" | "text" | "blob" | "sizes"
export type Fields = Readonly<Record<string, FieldKind>>
export interface SyscallShape {
  readonly number: number
  readonly args: Fields
  readonly result: Fields
}

export const Syscalls = {
  yield: { number: 0x01, args: {}, result: {} },
  cap_allocate: { number: 0x10, args: {}, result: { slot: "index" } },
  memory_allocate: { number: 0x11, args: { bytes: "size" }, result: { slot: "index" } },
  endpoint_create: { number: 0x13, args: {}, result: { slot: "index" } },
  /**
   * `capabilities` holds triples: the child's slot, the parent's slot, the rights that the child gets. `confined` is 1, or
   * 0 for a debugger or a library that needs more than the confinement leaves: that takes process control with all
   * rights. The result says what it is: 0 also where the daemon confines nobody. `tcb` and `vspace` are slots of objects
   * that retype has made, in which the component is to be made; NO_SLOT has the kernel make its own.
   */
  process_create: {
    number: 0x14,
    args: {
      componentName: "text",
      arguments: "sizes",
      capabilities: "sizes",
      priority: "index",
      confined: "index",
      tcb: "index",
      vspace: "index",
    },
    result: { pid: "index", tcb: "index", confined: "index" },
  },
  memory_map: {
    number: 0x15,
    args: { frame: "index", bytes: "size", permissions: "index" },
    result: { address: "size" },
  },
  /** `proof` is one of Proof; always `proved` for a frame, whose capability stays, and with it the right to map it again. */
  memory_unmap: { number: 0x16, args: { address: "size", bytes: "size" }, result: { proof: "index" } },
  notification_create: { number: 0x17, args: {}, result: { slot: "index" } },
  memory_map_into: {
    number: 0x1b,
    args: { frame: "index", bytes: "size", permissions: "index", pid: "index" },
    result: { address: "size" },
  },
  cap_insert_into: { number: 0x1c, args: { tcb: "index", slot: "index", source: "index" }, result: {} },
  /** `proof` is one of Proof: whether the mappings that went are known to be gone. So it is for cap_delete. */
  cap_revoke: { number: 0x1e, args: { cnode: "index", slot: "index" }, result: { proof: "index" } },
  cap_derive: { number: 0x1f, args: { cnode: "index", source: "index", target: "index", rights: "index" }, result: {} },
  cap_mint: {
    number: 0x20,
    args: { cnode: "index", source: "index", target: "index", rights: "index", badge: "word" },
    result: {},
  },
  cap_copy: {
    number: 0x21,
    args: { sourceCNode: "index", source: "index", targetCNode: "index", target: "index" },
    result: {},
  },
  cap_delete: { number: 0x22, args: { cnode: "index", slot: "index" }, result: { proof: "index" } },
  cap_move: {
    number: 0x23,
    args: { sourceCNode: "index", source: "index", targetCNode: "index", target: "index" },
    result: {},
  },
  memory_remap: { number: 0x24, args: { address: "size", bytes: "size", permissions: "index" }, result: {} },
  memory_share: {
    number: 0x25,
    args: { tcb: "index", address: "size", bytes: "size", targetAddress: "size", permissions: "index" },
    result: {},
  },
  retype: {
    number: 0x26,
    args: { untyped: "index", type: "index", sizeBits: "index", cnode: "index", slot: "index", count: "index" },
    result: {},
  },
  shutdown: { number: 0x50, args: {}, result: {} },
  debug_print: { number: 0x1001, args: { text: "text" }, result: {} },

  /** Makes a created component runnable. Needs its TCB; a component starts once. */
  process_start: { number: 0x1010, args: { tcb: "index" }, result: {} },
  /** Blocks until the component has reported or ended. `state`: 0 reported, 1 exited, 2 killed by a signal. */
  process_wait: {
    number: 0x1011,
    args: { tcb: "index" },
    result: { state: "index", status: "size", report: "blob", detail: "text" },
  },
  process_kill: { number: 0x1012, args: { tcb: "index" }, result: {} },
  /** Hands a result to the parent; the last one before the component's end stands. */
  report: { number: 0x1013, args: { report: "blob" }, result: {} },
  cap_grant: { number: 0x1014, args: { source: "index", tcb: "index", slot: "index", rights: "index" }, result: {} },
  /**
   * Where the object behind a slot stands in the caller's VSpace. A frame must have been mapped; a notification is mapped
   * by its first attach in each role, as notification-map.ts says. `role` is one of AttachRole. `lane` is NO_LANE unless the role is signaller. `status` is the
   * address of the word in which the kernel tells that the peers are gone or the capability revoked (ring/layout.ts).
   */
  object_attach: {
    number: 0x1015,
    args: { slot: "index", role: "index" },
    result: { address: "size", bytes: "size", permissions: "index", lane: "index", status: "size", badge: "word" },
  },
  /**
   * What lies at an address of the caller's VSpace, in words ("lies in frame 3, mapped r"), and the slot of the caller's
   * capability to it, NO_SLOT where there is none. For fault reports.
   */
  explain_address: { number: 0x1016, args: { address: "size" }, result: { slot: "index", text: "text" } },
  /** What a TCB capability is to: whether its component is confined (1 or 0), and the component in words. */
  process_describe: { number: 0x1017, args: { tcb: "index" }, result: { confined: "index", text: "text" } },
  /** From now on nobody can map the frame for writing; who has done so goes on. Needs write. Final until memory_renew. */
  memory_seal: { number: 0x1018, args: { frame: "index" }, result: {} },
  /**
   * Gives the frame new memory with what the old one holds, not sealed, wherever it is mapped. Needs write and grant, and
   * that nobody has it mapped for writing.
   */
  memory_renew: { number: 0x1019, args: { frame: "index" }, result: {} },
  /** Gives up a role `producer` or `consumer` that object_attach gave; another component can then take it. */
  object_detach: { number: 0x101a, args: { slot: "index", role: "index" }, result: {} },
} as const satisfies Readonly<Record<string, SyscallShape>>

/**
 * What the caller of object_attach wants to do with the object; each needs its right: signaller and producer write, waiter
 * and consumer read, frame none. A frame has one producer and one consumer at a time.
 */
export const AttachRole = { frame: 0, signaller: 1, waiter: 2, producer: 3, consumer: 4 } as const
/**
 * What the kernel knows of memory when a call that takes mappings away has returned.
 * - `proved`: no component holds a page or a descriptor of it through what was taken away
 * - `unproven`: one that is not confined, or that the daemon may not look at, had it mapped; it was told to let go
 */
export const Proof = { proved: 0, unproven: 1 } as const
export const NO_LANE = 0xffff_ffff
export const NO_SLOT = 0xffff_ffff

export type SyscallName = keyof typeof Syscalls

type FieldValue = {
  index: number
  size: number
  word: bigint
  text: string
  blob: Uint8Array
  sizes: readonly number[]
}
export type Values<F extends Fields> = { -readonly [K in keyof F]: FieldValue[F[K]] }
export type Args<N extends SyscallName> = Values<(typeof Syscalls)[N]["args"]>
export type Result<N extends SyscallName> = Values<(typeof Syscalls)[N]["result"]>

const nameByNumber = new Map<number, SyscallName>(
  Object.entries(Syscalls).map(([name, shape]) => [shape.number, name as SyscallName]),
)

/** The syscall with that number, or `undefined`. */
export function syscallName(number: number): SyscallName | undefined {
  return nameByNumber.get(number)
}
