// synchronisation.ts: SYNC, NBWAIT: semaphores, monitors and broadcast out of notifications, and a poll that never blocks.

import { HelperTask, SharedWord } from "../../../protocols/conformance.ts"
import { Right } from "../../runtime/index.ts"
import type { Case, Kit } from "../kit.ts"
import { Monitor } from "../monitor.ts"
import { Peer } from "../peer.ts"

const ROUNDS = 60
const SHORT_NS = 2e6

const semaphore: Case = {
  shows: "a binary semaphore out of notifications lets three components in one at a time, and each as often as it asks",
  run(kit) {
    const monitor = contended(kit, 1, 3)
    kit.equal("most that were inside at once", monitor.load(SharedWord.most), 1)
    // Read, changed and written apart: two inside at once would have lost a count.
    kit.equal("sum of all rounds", monitor.load(SharedWord.sum), 3 * ROUNDS)
    kit.equal("whether anybody had to wait", monitor.contention > 0, true)
    monitor.end()
  },
}

const countingSemaphore: Case = {
  shows: "a counting semaphore of two lets in two of four components at once, and never a third",
  run(kit) {
    const monitor = contended(kit, 2, 4)
    kit.equal("most that were inside at once", monitor.load(SharedWord.most), 2)
    kit.equal("inside at the end", monitor.load(SharedWord.inside), 0)
    kit.equal("whether anybody had to wait", monitor.contention > 0, true)
    monitor.end()
  },
}

/** Runs so many contenders to their end; the first of them looks for company up to the capacity. */
function contended(kit: Kit, capacity: number, members: number): Monitor {
  const monitor = new Monitor(kit, capacity)
  monitor.store(SharedWord.wanted, capacity)
  for (let member = 0; member < members; member++) monitor.join(HelperTask.contend, ROUNDS)
  monitor.serve(() => monitor.left === members * ROUNDS)
  return monitor
}

const monitorCase: Case = {
  shows: "a monitor out of notifications passes every item through a place for one, each once and in order",
  run(kit) {
    const monitor = new Monitor(kit, 1)
    monitor.join(HelperTask.consume, ROUNDS)
    monitor.join(HelperTask.produce, ROUNDS)
    let slept = 0
    monitor.serve(() => {
      slept = Math.max(slept, monitor.awaiting)
      return monitor.left === 2 * ROUNDS
    })
    kit.equal("last item taken", monitor.load(SharedWord.sum), ROUNDS)
    kit.equal("whether one had to wait for the other, and never both", slept, 1)
    monitor.end()
  },
}

const broadcast: Case = {
  shows: "one notify wakes one of three waiting components, and a broadcast wakes all of them, each once",
  run(kit) {
    const monitor = new Monitor(kit, 1)
    const members = 3
    for (let member = 0; member < members; member++) monitor.join(HelperTask.await, 1)
    monitor.serve(() => monitor.awaiting === members)
    monitor.notifyOne()
    monitor.serve(() => monitor.awaiting === members)
    kit.equal("woken by one notify", monitor.load(SharedWord.wakings), 1)
    kit.equal("gone before the gate is open", monitor.left, 0)
    monitor.store(SharedWord.gate, 1)
    monitor.notifyAll()
    monitor.serve(() => monitor.left === members)
    kit.equal("woken in all", monitor.load(SharedWord.wakings), 1 + members)
    monitor.end()
  },
}

const poll: Case = {
  shows: "poll takes pending bits at once and gives 0 where there are none; a wait with a deadline ends at it",
  run(kit) {
    const slot = kit.notification()
    const [signalOnly, waitOnly] = [kit.derive(slot, Right.write), kit.derive(slot, Right.read)]
    const badged = kit.mint(slot, 2n, Right.write)
    const notification = kit.self.notification(slot)
    kit.equal("poll of a new notification", kit.poll(slot), 0n)
    kit.equal("signal of a badged capability", kit.signal(badged), "ok")
    kit.equal("poll after it", kit.poll(slot), 2n)
    kit.equal("poll after that", kit.poll(slot), 0n)
    kit.equal("wait without a signal", notification.wait(SHORT_NS), "deadline")
    kit.equal("first of two signals", kit.signal(signalOnly, 0x11n), "ok")
    kit.equal("second of two signals", kit.signal(signalOnly, 0x12n), "ok")
    kit.equal("poll after two signals", kit.poll(slot), 0x13n)
    kit.equal("poll after that", kit.poll(slot), 0n)
    kit.signal(signalOnly, 1n)
    kit.equal("wait after a signal", notification.wait(SHORT_NS), 1n)
    kit.equal("poll without the read right", kit.poll(signalOnly), "IllegalOperation")
    kit.equal("signal without the write right", kit.signal(waitOnly, 1n), "IllegalOperation")
    const wanted = { strict: "InvalidArgument", kaal: "ok" }
    kit.differs("signalOfNothingIsLost", "signal of no bits", kit.signal(slot, 0n), wanted)
    kit.equal("poll after the refusals", kit.poll(slot), 0n)

    const peer = new Peer(kit, [[40, slot]])
    kit.equal("signal by another component", peer.signal(40, 4n), "ok")
    kit.equal("poll of what it signalled", kit.poll(slot), 4n)
    kit.equal("poll by a second waiting component", peer.poll(40), "IllegalOperation")
    peer.end()
    kit.revoke(slot)
    kit.delete(slot)
  },
}

export const SYNCHRONISATION = {
  SYNC001: semaphore,
  SYNC002: countingSemaphore,
  SYNC003: monitorCase,
  SYNC004: broadcast,
  NBWAIT0001: poll,
}
