// ring-steps.ts: the constants of Test 3 that both sides share.

/** Items of the rounds that follow the plan's listing, signal by signal, before the long run. */
export const PLAN_ROUNDS: readonly number[] = [10, 100]
/** All of them together. */
export const PLAN_ITEMS = PLAN_ROUNDS.reduce((sum, items) => sum + items, 0)

/** How long one item may take before it counts as lost. A watchdog, far above what any item needs. */
export const ITEM_TIMEOUT_NS = 5e9
