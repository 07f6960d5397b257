// revoke.ts: PREEMPT_REVOKE: a revoke so large that others must be served while it runs.

import { HelperTask, SharedWord } from "../../../protocols/conformance.ts"
import { ObjectType } from "../../runtime/index.ts"
import { type Case, EMPTY_SLOT, type Kit } from "../kit.ts"
import { endHelper, startHelper } from "../peer.ts"

const SLOT_BITS = 15
const AT_ONCE = 256
const ENDPOINT_BITS = 6
/** On a busy machine the other component may be without a processor for the whole of one revoke. */
const ATTEMPTS = 20
/** The first and the last call that are answered between two looks may fall outside the revoke. */
const AT_THE_EDGES = 2

const preemptRevoke: Case = {
  shows: "a revoke of 32,768 descendants removes them all, and another component's calls are answered meanwhile",
  run(kit) {
    const frame = kit.frame()
    const address = kit.map(frame)
    const word = (index: number) => address + 4 * index
    const child = startHelper(kit, HelperTask.count, frame, [], [])
    const answered = () => kit.self.vspace.loadWord(word(SharedWord.sum))
    const untyped = kit.make(ObjectType.Untyped, SLOT_BITS + ENDPOINT_BITS)
    const cnode = kit.make(ObjectType.CNode, SLOT_BITS)

    let served = 0
    for (let attempt = 0; attempt < ATTEMPTS && served <= AT_THE_EDGES; attempt++) {
      fill(kit, untyped, cnode)
      kit.equal("slots before", kit.picture([0, 2 ** SLOT_BITS - 1], cnode), "oo")
      kit.refused("one more endpoint", "NotEnoughMemory", "retype", endpoints(untyped, kit.own, EMPTY_SLOT, 1))
      const before = answered()
      kit.revoke(untyped)
      served = answered() - before
      kit.equal("slots after", kit.picture([0, 1, 2 ** (SLOT_BITS - 1), 2 ** SLOT_BITS - 1], cnode), "----")
    }
    kit.equal("whether another component was served", served > AT_THE_EDGES, true)
    kit.self.vspace.storeWord(word(SharedWord.stop), 1)
    endHelper(kit, child)
    kit.delete(untyped, cnode, frame)
  },
}

function fill(kit: Kit, untyped: number, cnode: number): void {
  for (let slot = 0; slot < 2 ** SLOT_BITS; slot += AT_ONCE) {
    kit.call("retype", endpoints(untyped, cnode, slot, AT_ONCE))
  }
}

function endpoints(untyped: number, cnode: number, slot: number, count: number) {
  return { untyped, type: ObjectType.Endpoint, sizeBits: 0, cnode, slot, count }
}

export const REVOKE = { PREEMPT_REVOKE: preemptRevoke }
