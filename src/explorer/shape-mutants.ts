// shape-mutants.ts: faults of merge, policies and waits on the event loop that the explorer must find; with those of broadcast.

import { BROADCAST_MUTANTS } from "./broadcast-mutants.ts"
import type { Mutant } from "./mutants.ts"

const merge = "src/ring/wasm/merge.ts"
const mergeConsumer = "src/ring/shapes/merge-consumer.ts"
const checker = "src/ring/loop/checker.ts"
const ringEnd = "src/ring/ring-end.ts"
const loopWaiting = "src/ring/loop/loop-waiting.ts"
const NEEDLESS_CALL = "it costs the peer a needless call: a sleep number that nobody sleeps by any more"

const MERGE: readonly Mutant[] = [
  {
    path: merge,
    from: "store<u32>(merge, left == 0 ? next : source, MERGE_NEXT)",
    to: "store<u32>(merge, source, MERGE_NEXT)",
    what: "a producer may go on when its budget is spent",
  },
  {
    path: merge,
    from: "const left = load<u32>(merge, MERGE_LEFT) - 1",
    to: "const left = load<u32>(merge, MERGE_LEFT)",
    what: "a message is not taken off the budget",
  },
  {
    path: merge,
    from: "store<u32>(merge, left == 0 ? load<u32>(merge, MERGE_BUDGET) : left, MERGE_LEFT)",
    to: "store<u32>(merge, left, MERGE_LEFT)",
    what: "the next producer gets no budget",
  },
  {
    path: merge,
    from: "looked < count; looked++",
    to: "looked < 1; looked++",
    what: "a round looks at one ring",
  },
  {
    path: merge,
    from: "store<u32>(merge, source, MERGE_SOURCE)",
    to: "store<u32>(merge, next, MERGE_SOURCE)",
    what: "a message is said to be another producer's",
  },
  {
    path: merge,
    from: "if (result == RESULT_NONE_WAKE) return result",
    to: "",
    what: "a producer that sleeps is not woken when its ring is found empty",
    equivalent: "in a ring of up to 4 slots each slot comes back at once, so an empty ring has nothing to give back",
  },
  {
    path: mergeConsumer,
    from: "if (result === RESULT_DONE_WAKE) (end as RingEnd).wakePeer()",
    to: "",
    what: "a merge takes a message and wakes nobody",
  },
  {
    path: mergeConsumer,
    from: "this.#eachEnd(end => end.announce())",
    to: "this.#ends[0]?.announce()",
    what: "a merge announces its sleep to the first producer only",
  },
  {
    path: mergeConsumer,
    from: "this.#eachEnd(end => end.announceInLoop())",
    to: "this.#ends[0]?.announceInLoop()",
    what: "a merge announces its sleep in the loop to the first producer only",
  },
  {
    path: mergeConsumer,
    from: "let next = at\n    for (const [producer, end] of this.#ends.entries()) {",
    to: "let next = at\n    for (const [producer, end] of [...this.#ends.entries()].slice(0, 1)) {",
    what: "a merge sleeps on the first ring only",
  },
  {
    path: merge,
    from: "if (known == MERGE_LIVE) {",
    to: "if (known != MERGE_EXCLUDED) {",
    what: "a merge says each time that a producer has gone",
  },
  {
    path: merge,
    from: "        store<u32>(state, MERGE_LIVE, MERGE_STATES)\n        taken(",
    to: "        taken(",
    what: "a merge does not notice by its message that a producer has come",
  },
  {
    path: merge,
    from: "if (present != 0) return RESULT_NONE",
    to: "return RESULT_NONE",
    what: "a merge waits for producers that have all gone",
  },
  {
    path: mergeConsumer,
    from: "      if (this.#known(producer) !== MERGE_LIVE) this.#sleepOnReturn(words, next)\n",
    to: "",
    what: "a merge does not sleep beside a producer that has gone",
  },
  {
    path: ringEnd,
    from: "      wake(this.#closedWord)\n      if (this.#bell",
    to: "      if (this.#bell",
    what: "an end closes and wakes nobody",
  },
  {
    path: ringEnd,
    from: "      if (this.#bell !== undefined) native.ringPeersBell(this.#bell)\n",
    to: "",
    what: "an end closes and rings for nobody",
  },
  {
    path: mergeConsumer,
    from: "return this.#bells.filter((_, producer) => this.#known(producer) !== MERGE_EXCLUDED) as number[]",
    to: "return this.#bells.slice(0, 1) as number[]",
    what: "a merge listens to the first bell only",
  },
]

const LOOP: readonly Mutant[] = [
  {
    path: loopWaiting,
    from: "if (this.#settleBy(pending, 1) || listens) return",
    to: "if (listens) return",
    what: "no second look after the sleep in the loop was announced",
  },
  {
    path: loopWaiting,
    from: "    if (now < pending.checkUntilNs) return false\n    this.#sleep(pending)\n    return true\n",
    to: "    return false\n",
    what: "looks for ever, and never sleeps",
  },
  {
    path: loopWaiting,
    from: "    if (now < pending.checkUntilNs) return false\n    this.#sleep(pending)\n",
    to: "    if (now < pending.checkUntilNs) return false\n",
    what: "looks no more, and does not sleep either",
  },
  {
    path: loopWaiting,
    from: "if (checks || isTurnDue) startChecking(this)\n    else this.#sleep(pending)",
    to: "if (checks) startChecking(this)\n    else if (!isTurnDue) this.#sleep(pending)",
    what: "leaves the event loop a turn, and is not called after it",
  },
  {
    path: checker,
    from: "  if (checked.size === 0 || isScheduled) return\n  isScheduled = true\n  setImmediate(turn)\n",
    to: "",
    what: "looks in one turn only",
  },
  {
    path: checker,
    from: "if (waiting.check(now)) checked.delete(waiting)",
    to: "waiting.check(now)",
    what: "goes on looking once it sleeps",
  },
  {
    path: checker,
    from: "  isScheduled = false\n",
    to: "",
    what: "a wait that looks before it sleeps is given no turn, because one was given before",
  },
  {
    path: loopWaiting,
    from: "      this.#sleeper.announceInLoop()\n",
    to: "",
    what: "sleeps in the loop unannounced",
  },
  {
    path: loopWaiting,
    from: "    // Nothing there: the kernel had nothing new to tell either. Announced anew, since a peer wakes once for each number.\n    this.#sleep(pending)\n",
    to: "",
    what: "sleeps on in the loop after a late ringing, unannounced",
  },
  {
    path: loopWaiting,
    from: '      listens = this.#listen()\n      pending.state = "asleep"\n      this.#sleeper.announceInLoop()\n',
    to: '      pending.state = "asleep"\n      this.#sleeper.announceInLoop()\n      listens = this.#listen()\n',
    what: "listens to its bell after it has announced its sleep",
    equivalent: "a bell that has rung stays so: put into the set it is ready at once",
  },
  {
    path: loopWaiting,
    from: '    if (pending.state === "asleep") this.#retract()\n',
    to: "",
    what: "a sleep in the loop is not retracted",
    equivalent: NEEDLESS_CALL,
  },
  {
    path: "src/ring/wait.ts",
    from: "if (!inLoop || bell === undefined) return wake(word)",
    to: "if (bell === undefined) return wake(word)",
    what: "rings for who sleeps on a word",
  },
  {
    path: "src/ring/wait.ts",
    from: "if (!inLoop || bell === undefined) return wake(word)",
    to: "return wake(word)",
    what: "wakes by the word who sleeps in its event loop",
  },
  {
    path: "src/ring/ring-end.ts",
    from: "this.#sleepNumber.announce(ASLEEP_IN_LOOP)",
    to: "this.#sleepNumber.announce()",
    what: "an end says that it sleeps, and not that it does so in its event loop",
  },
  {
    path: "src/ring/waiter.ts",
    from: "[this.#bell, ...this.#lanesIn(this.#inUse())",
    to: "[this.#bell, ...this.#lanesIn(0)",
    what: "a waiter listens to the kernel's bell only",
  },
  {
    path: "src/ring/waiter.ts",
    from: "for (const lane of this.#sleepLanes()) this.#sleepNumber(lane).announce(how)",
    to: "for (const lane of this.#sleepLanes().slice(0, 1)) this.#sleepNumber(lane).announce(how)",
    what: "a waiter announces its sleep in the first lane only",
  },
]

const POLICY: readonly Mutant[] = [
  {
    path: "src/ring/shapes/broadcast-producer.ts",
    from: "      this.#isDone(this.#wakeRest())\n",
    to: "",
    what: "a lossy ring's producer closes and wakes nobody",
  },
  {
    path: "src/ring/shapes/broadcast-producer.ts",
    from: "      this.#vspace.storeWord(this.#closedWord, 1)\n      this.#isDone(this.#wakeRest())\n",
    to: "      this.#isDone(this.#wakeRest())\n      this.#vspace.storeWord(this.#closedWord, 1)\n",
    what: "a lossy ring's producer looks for sleepers before it closes",
  },
  {
    path: "src/ring/wasm/broadcast-consumer.ts",
    from: "      const last = take(receiver)\n      return last == RESULT_NONE ? RESULT_CLOSED : last\n",
    to: "      return RESULT_CLOSED\n",
    what: "no second look for messages after a lossy ring's producer has closed",
  },
  {
    path: "src/ring/wasm/broadcast-consumer.ts",
    from: "if (atomic.load<u32>(closedWord, CLOSED_AFTER_INDEX) != 0) {",
    to: "if (load<u32>(closedWord, CLOSED_AFTER_INDEX) != 0) {",
    what: "a lossy ring's consumer looks plainly whether the producer has closed",
  },
  {
    path: "src/ring/shapes/policy-ring.ts",
    from: "    this.#vspace.storeWord(this.#droppedWord, this.#vspace.loadWord(this.#droppedWord) + 1)\n",
    to: "",
    what: "a message is dropped and not counted",
  },
]

const among = (cases: string, mutants: readonly Mutant[]): Mutant[] => mutants.map(mutant => ({ ...mutant, cases }))

export const SHAPE_MUTANTS: readonly Mutant[] = [
  ...among("merge", MERGE),
  ...among("broadcast", BROADCAST_MUTANTS),
  ...among("loop", LOOP),
  ...among("policy", POLICY),
]
