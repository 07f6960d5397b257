// checker.ts: how a thread looks at its rings for a while before it sleeps: between turns of its event loop, which goes on
// meanwhile. Without a timer; and when nobody is checked, nothing runs.

export const nowNs = (): number => performance.now() * 1_000_000

/** Who is waited for. */
export interface Checked {
  /** Looks once. True when it needs no further look: it has its message, or has gone to sleep. */
  check(nowNs: number): boolean
}

/** Spent looking before the event loop gets its turn. */
const TURN_NS = 10_000
/** Spent on answers that need no turn of the event loop, after which it gets one all the same. */
const MOST_WITHOUT_TURN_NS = 1_000_000
/** Such answers between two looks at the clock. */
const ANSWERS_PER_LOOK = 64

const checked = new Set<Checked>()
let isScheduled = false
let answers = 0
let turnNs = 0

/** Has `waiting.check` called, once at least, until it returns true. */
export function startChecking(waiting: Checked): void {
  checked.add(waiting)
  if (isScheduled) return
  isScheduled = true
  setImmediate(turn)
}

export function stopChecking(waiting: Checked): void {
  checked.delete(waiting)
}

/**
 * To be asked before an answer that comes without waiting. True when there were so many that the event loop, and with
 * it everybody else on this thread, is to have a turn first.
 */
export function isTurnDue(): boolean {
  answers += 1
  if (answers % ANSWERS_PER_LOOK !== 0) return false
  return nowNs() - turnNs > MOST_WITHOUT_TURN_NS
}

function turn(): void {
  isScheduled = false
  turnNs = nowNs()
  // Who is done takes up its work when we return, so the first one ends the turn.
  for (let now = turnNs; now - turnNs < TURN_NS; now = nowNs()) {
    const before = checked.size
    for (const waiting of checked) if (waiting.check(now)) checked.delete(waiting)
    if (checked.size < before) break
  }
  if (checked.size === 0 || isScheduled) return
  isScheduled = true
  setImmediate(turn)
}
