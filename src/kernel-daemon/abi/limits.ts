// limits.ts: every bound of the contract, with its unit in the name.

export const PAGE_BYTES = 4096

/** Slots of a component's root CNode; below `FIRST_FREE_SLOT` they are reserved for conventions. */
export const ROOT_CNODE_SLOTS = 256
export const FIRST_FREE_SLOT = 100
/** Below it stand a component's own objects, which nobody else puts there. */
export const FIRST_GRANT_SLOT = 4
export const MAX_CNODE_SLOTS = 65_536

/** What stands in the reserved slots. 1 to 3 are seL4's numbers for an initial thread. */
export const ConventionSlot = { ownTcb: 1, ownCNode: 2, ownVSpace: 3, untyped: 10, processControl: 11 } as const

export const MAX_COMPONENTS = 1_024
export const MAX_COMPONENT_NAME_BYTES = 64
export const MAX_SPAWN_ARGUMENTS = 64
export const MAX_SPAWN_CAPABILITIES = 128
export const MAX_PRIORITY = 255

/** Memory of the untyped that the root task starts with. */
export const ROOT_UNTYPED_BITS = 32

/** Mappings in one VSpace. Whoever looks whether a component has let go of memory reads a line for each. */
export const MAX_MAPPINGS = 2_048

/** What an object of the kernel's own takes out of its untyped. Frames take their size, notifications one page. */
export const OBJECT_BYTES = { endpoint: 64, tcb: 4_096, vspace: 4_096, capSlot: 32 } as const
/** Bounds of retype's size bits (bytes for untypeds and frames, slots for CNodes) and of its count, as in seL4. */
export const RETYPE_BITS = { untyped: [4, 47], frame: [12, 30], cnode: [1, 16] } as const
export const MAX_RETYPE_COUNT = 256

/** Holders of signalling capabilities that one notification serves at the same time. */
export const NOTIFICATION_LANES = 16

export const MAX_PRINT_BYTES = 4_096
export const MAX_REPORT_BYTES = 16_384
/** The largest request or reply on a control socket, header included. */
export const MAX_MESSAGE_BYTES = 32_768

/**
 * What the kernel keeps for a component while Linux, short of memory, takes no message to it; who has more coming is ended.
 * It is one reply for each call that waits: a component of ours has one at a time.
 */
export const MAX_KEPT_REPLIES = 64
export const MAX_KEPT_REPLY_BYTES = 4 * MAX_MESSAGE_BYTES

/** A component that has not answered the kernel's mapper command by then is killed and reported. */
export const MAPPER_DEADLINE_MS = 1_000
/** A component that has not let go of what was revoked by then is killed and reported. */
export const REVOKE_DEADLINE_MS = 100
/** A component that has not announced itself by then is killed and reported. */
export const BOOT_DEADLINE_MS = 10_000
