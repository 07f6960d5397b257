// slots.ts: where a child of bench-caps finds what its parent gave it.

/** A notification on which a child is told to go on. */
export const GO_ON_SLOT = 100
/** A notification on which a bystander says that it is at work. */
export const READY_SLOT = 101
/** The one bit of both. */
export const PHASE_BADGE = 1n
