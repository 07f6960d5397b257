// loop-waiting.ts: how an end waits on the event loop: look for a bounded time, then sleep until its bell rings.

import { ensureOptions, RingError } from "../errors.ts"
import { checkTimeout, type Interruption } from "../wait.ts"
import { hold, ignore, listen, release } from "./bells.ts"
import { type Checked, isTurnDue, nowNs, startChecking, stopChecking } from "./checker.ts"

/** Of a wait on the event loop. */
export interface LoopWaitOptions {
  /** Ends the wait: it rejects with the signal's reason, and nothing was taken or sent. */
  readonly signal?: AbortSignal
  /** Nanoseconds from the call, 0 or more; by default Infinity. Kept to a millisecond. */
  readonly deadlineNs?: number
}

/** The part of an end that can sleep in the event loop. What these throw is an error of `interruptionBy`. */
export interface LoopSleeper {
  /** Addresses of the bells that wake it, as it would sleep now; undefined where it has none and cannot wait here. */
  bells(): readonly number[] | undefined
  announceInLoop(): void
  retract(): void
  /** What to make of an error in a wait: an outcome, or it throws. */
  interruptionBy(error: unknown): Interruption
}

/** Looks at most `spins` times. undefined: go on waiting. */
export type Attempt<T> = (spins: number) => T | undefined

const DEFAULT_CHECK_NS = 50_000
/** Looks of the first attempt where there is a check: about the time that a peer who is awake takes to answer. */
const FIRST_SPINS = 512
/** Looks between two looks at the clock: below a microsecond. */
const SPINS = 128
/** Checks in a row that found nothing, from which on waits sleep at once: 1, then 2, 4, at most so many, before one checks again. */
const VAIN_CHECKS = 4
const MOST_SKIPPED = 16
const NS_PER_MS = 1_000_000
/** Of setTimeout. */
const LONGEST_TIMER_MS = 0x7fff_ffff

interface Pending {
  readonly attempt: Attempt<unknown>
  readonly resolve: (outcome: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly checkUntilNs: number
  readonly signal: AbortSignal | undefined
  readonly onAbort: () => void
  timer: NodeJS.Timeout | undefined
  state: "checking" | "asleep"
}

export class LoopWaiting implements Checked {
  readonly #sleeper: LoopSleeper
  readonly #checkNs: number
  /** Bells that it listens to. */
  readonly #heard = new Set<number>()
  #isRef = true
  #vainChecks = 0
  #toSkip = 0
  #pending: Pending | undefined

  /**
   * @param checkNs by default 50,000, or 0 where the process has one processor. Once four checks in a row were in vain only one
   *   wait in two checks, then one in three, at last in seventeen, until one finds something
   * @throws {RingError} InvalidArgument: checkNs is not 0 or more
   */
  constructor(sleeper: LoopSleeper, processors: number, checkNs = processors > 1 ? DEFAULT_CHECK_NS : 0) {
    checkTimeout(checkNs, "wait.checkNs")
    this.#sleeper = sleeper
    this.#checkNs = checkNs
  }

  /** From now on, and at the start, a pending wait keeps the event loop alive. */
  ref(): void {
    if (!this.#isRef && this.#pending !== undefined) hold()
    this.#isRef = true
  }

  /** From now on it does not. */
  unref(): void {
    if (this.#isRef && this.#pending !== undefined) release()
    this.#isRef = false
  }

  /**
   * Repeats `attempt` until it has an outcome, on the event loop. What is there already is taken in the same turn.
   * `prepare` is called before the first one, once it is clear that there will be one; `onMiss` if that finds nothing.
   * Rejects with what `attempt` throws, with the signal's reason, or with a RingError: another wait of this end is
   * pending, it has no bell, or `deadlineNs` is not 0 or more.
   */
  wait<T>(
    attempt: Attempt<T>,
    options: LoopWaitOptions,
    onMiss: () => void,
    prepare?: () => void,
  ): Promise<T | Interruption> {
    try {
      checkLimits(options)
      const { signal, deadlineNs = Number.POSITIVE_INFINITY } = options
      this.#ensureBells()
      this.ensureFree()
      if (signal?.aborted) return Promise.reject(signal.reason)
      prepare?.()
      const isDue = isTurnDue()
      const checks = this.#isToCheck()
      if (!isDue || deadlineNs === 0) {
        const outcome = this.#look(attempt, checks ? FIRST_SPINS : 1)
        if (outcome !== undefined) {
          if (checks) this.#vainChecks = 0
          return Promise.resolve(outcome)
        }
        onMiss()
        if (deadlineNs === 0) return Promise.resolve("deadline")
      }
      return new Promise((resolve, reject) => {
        // What the attempt returns is what the promise is of.
        this.#start(attempt, options, checks, isDue, resolve as (outcome: unknown) => void, reject)
      })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Ends a pending wait with `outcome`. */
  end(outcome: unknown): void {
    this.#settle(pending => pending.resolve(outcome))
  }

  /** Ends a pending wait, and hears no bell any more. For an end that is closed. */
  close(outcome: unknown): void {
    this.end(outcome)
    for (const bell of this.#heard) ignore(bell)
    this.#heard.clear()
  }

  get isPending(): boolean {
    return this.#pending !== undefined
  }

  /** @throws {RingError} IllegalOperation: a wait is pending, and its announcement would be undone by another */
  ensureFree(): void {
    if (this.#pending === undefined) return
    throw new RingError("IllegalOperation", "A wait of this end is pending: await it, or abort it, before the next")
  }

  check(now: number): boolean {
    const pending = this.#pending
    if (pending === undefined) return true
    if (this.#settleBy(pending, SPINS)) {
      this.#vainChecks = 0
      return true
    }
    if (now < pending.checkUntilNs) return false
    this.#sleep(pending)
    return true
  }

  /** Not where checks are in vain: beside a peer on the same processor, which they keep from answering, or one that takes longer. */
  #isToCheck(): boolean {
    if (this.#checkNs === 0) return false
    if (this.#toSkip === 0) return true
    this.#toSkip -= 1
    return false
  }

  #checkedInVain(): void {
    this.#vainChecks += 1
    if (this.#vainChecks >= VAIN_CHECKS) this.#toSkip = Math.min(2 ** (this.#vainChecks - VAIN_CHECKS), MOST_SKIPPED)
  }

  #ensureBells(): void {
    if (this.#sleeper.bells() !== undefined) return
    throw new RingError(
      "IllegalOperation",
      "This end has no bell to be woken by on the event loop: take it from the Component, whose kernel hangs one",
    )
  }

  /** False when one of the bells no longer hangs there. */
  #listen(): boolean {
    for (const bell of this.#sleeper.bells() ?? []) {
      if (this.#heard.has(bell)) continue
      if (!listen(bell, () => this.#onRing())) return false
      this.#heard.add(bell)
    }
    return true
  }

  #start(
    attempt: Attempt<unknown>,
    { signal, deadlineNs = Number.POSITIVE_INFINITY }: LoopWaitOptions,
    checks: boolean,
    isTurnDue: boolean,
    resolve: (outcome: unknown) => void,
    reject: (reason: unknown) => void,
  ): void {
    const pending: Pending = {
      attempt,
      resolve,
      reject,
      checkUntilNs: checks ? nowNs() + this.#checkNs : 0,
      signal,
      onAbort: () => this.#settle(() => reject(signal?.reason)),
      timer: undefined,
      state: "checking",
    }
    this.#pending = pending
    if (this.#isRef) hold()
    pending.timer = afterNs(deadlineNs, () => this.end("deadline"))
    signal?.addEventListener("abort", pending.onAbort, { once: true })
    if (checks || isTurnDue) startChecking(this)
    else this.#sleep(pending)
  }

  #sleep(pending: Pending): void {
    if (pending.state === "checking" && pending.checkUntilNs > 0) this.#checkedInVain()
    let listens: boolean
    try {
      listens = this.#listen()
      pending.state = "asleep"
      this.#sleeper.announceInLoop()
    } catch (error) {
      return this.#interrupt(error)
    }
    // ORDER sleep: these loads of the index come after the store of our sleep number; mustWake() is called after the store
    // of the index, and loads the number.
    if (this.#settleBy(pending, 1) || listens) return
    this.#settle(() =>
      pending.reject(new RingError("IllegalOperation", "The bell of this end was taken away: attach the end again")),
    )
  }

  #onRing(): void {
    const pending = this.#pending
    // It rang late, for what has been taken meanwhile.
    if (pending?.state !== "asleep") return
    if (this.#settleBy(pending, 1)) return
    // Nothing there: the kernel had nothing new to tell either. Announced anew, since a peer wakes once for each number.
    this.#sleep(pending)
  }

  /** Looks, and settles if there is an outcome. */
  #settleBy(pending: Pending, spins: number): boolean {
    let outcome: unknown
    try {
      outcome = this.#look(pending.attempt, spins)
    } catch (error) {
      this.#settle(({ reject }) => reject(error))
      return true
    }
    if (outcome === undefined) return false
    this.end(outcome)
    return true
  }

  #look<T>(attempt: Attempt<T>, spins: number): T | Interruption | undefined {
    try {
      return attempt(spins)
    } catch (error) {
      return this.#sleeper.interruptionBy(error)
    }
  }

  #interrupt(error: unknown): void {
    try {
      this.end(this.#sleeper.interruptionBy(error))
    } catch (reason) {
      this.#settle(({ reject }) => reject(reason))
    }
  }

  #settle(how: (pending: Pending) => void): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    stopChecking(this)
    clearTimeout(pending.timer)
    pending.signal?.removeEventListener("abort", pending.onAbort)
    if (this.#isRef) release()
    if (pending.state === "asleep") this.#retract()
    how(pending)
  }

  #retract(): void {
    try {
      this.#sleeper.retract()
    } catch {
      // The page went away, and nobody looks at the number any more.
    }
  }
}

/** Calls back when the time is up; never for Infinity. Keeps no event loop alive: what does is the wait. */
export function afterNs(deadlineNs: number, onTimeUp: () => void): NodeJS.Timeout | undefined {
  if (deadlineNs === Number.POSITIVE_INFINITY) return undefined
  return setTimeout(onTimeUp, Math.min(Math.ceil(deadlineNs / NS_PER_MS), LONGEST_TIMER_MS)).unref()
}

/** Or what is missed of them would be missed only once the wait had begun. @throws {RingError} InvalidArgument */
export function checkLimits(options: LoopWaitOptions): void {
  ensureOptions(options, "signal and deadlineNs, both optional: {} waits for ever")
  const { signal, deadlineNs = Number.POSITIVE_INFINITY } = options
  checkTimeout(deadlineNs, "deadlineNs")
  if (signal === undefined || signal instanceof AbortSignal) return
  throw new RingError("InvalidArgument", `signal is of type ${typeof signal}, which must be an AbortSignal`)
}
