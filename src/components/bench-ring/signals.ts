// signals.ts: signals there and back between the two notifications of a pair, for a trial.

import { MESSAGE_TIMEOUT_NS } from "../plan/latency-steps.ts"
import { type Component, type Notification, tsc, type WaitStrategy } from "../runtime/index.ts"

const BADGE = 1n
/** Signals that nobody hears, in one stamp. */
const UNHEARD = 100_000

export class SignalPair {
  readonly #out: Notification
  readonly #in: Notification

  constructor(self: Component, leader: boolean, strategy: WaitStrategy) {
    const [toFollower, toLeader] = [self.argument(1), self.argument(2)].map(slot => self.notification(slot)) as [
      Notification,
      Notification,
    ]
    this.#out = leader ? toFollower : toLeader
    this.#in = leader ? toLeader : toFollower
    this.#in.waitStrategy = strategy
  }

  roundTrip(): void {
    this.#out.signal(BADGE)
    this.#await()
  }

  answer(): void {
    this.#await()
    this.#out.signal(BADGE)
  }

  stampedRoundTrip(): number {
    const begun = tsc()
    this.roundTrip()
    return tsc() - begun
  }

  /** A signal carries no stamp. */
  stampedAnswer(): number {
    this.answer()
    return 0
  }

  /** Cycles of a signal while its bit is pending and its waiter is elsewhere. */
  unheardSignalCycles(): number {
    const begun = tsc()
    for (let signal = 0; signal < UNHEARD; signal++) this.#out.signal(BADGE)
    return (tsc() - begun) / UNHEARD
  }

  #await(): void {
    const bits = this.#in.wait(MESSAGE_TIMEOUT_NS)
    if (bits !== BADGE) throw new Error(`A signal came as ${bits}, which must be ${BADGE}`)
  }
}
