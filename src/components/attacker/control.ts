// control.ts: attacks by what a request says: capabilities that it does not have, messages that are none.

import { AttackerArg, AttackSlot } from "../../protocols/attacks.ts"
import { ALL_RIGHTS, ConventionSlot, encodeRequest, PAGE_BYTES, Permission } from "../runtime/index.ts"
import { type Attack, answer, distinct, exchange, lastCallId, SUCCEEDS, send } from "./wire.ts"

const { frame, free } = AttackSlot
const own = ConventionSlot.ownCNode
const MAP = { frame, bytes: PAGE_BYTES, permissions: Permission.read }
const CALL_ID = 77

/** A request with one of its words overwritten: what `encodeRequest` itself would refuse. */
function forged(message: Uint8Array, word: number, value: bigint): Uint8Array {
  new DataView(message.buffer, message.byteOffset).setBigUint64(8 + 8 * word, value, true)
  return message
}

const map = (slot: number): Uint8Array => encodeRequest("memory_map", CALL_ID, { ...MAP, frame: slot })
const mapInto = (pid: number): Uint8Array => encodeRequest("memory_map_into", CALL_ID, { ...MAP, pid })
const copy = (cnode: number, source: number): Uint8Array =>
  encodeRequest("cap_copy", CALL_ID, { sourceCNode: cnode, source, targetCNode: own, target: free })

/** Through the TCB capability in `free`, to itself. */
const grant = (slot: number): Uint8Array =>
  encodeRequest("cap_grant", CALL_ID, { source: frame, tcb: free, slot, rights: ALL_RIGHTS })

export const CONTROL_ATTACKS = {
  "forged slots": {
    rightly: () => exchange(map(frame)),
    attack: () =>
      distinct([
        ...[0, 99, 255, 256, 65_536, 0xffff_ffff].map(slot => exchange(map(slot))),
        ...[2n ** 32n, 2n ** 63n, 2n ** 64n - 1n].map(slot => exchange(forged(map(frame), 0, slot))),
        ...[0, ConventionSlot.ownTcb, frame, 200, 0xffff_ffff].map(cnode => exchange(copy(cnode, frame))),
      ]),
  },
  "slots of another": {
    rightly: self => distinct([exchange(map(frame)), exchange(mapInto(self.pid))]),
    attack: self => {
      const slot = self.argument(AttackerArg.slotOfAnother)
      const pid = self.argument(AttackerArg.pidOfAnother)
      return distinct([exchange(map(slot)), exchange(copy(own, slot)), exchange(mapInto(pid)), exchange(mapInto(1))])
    },
  },
  "deleted TCB": {
    rightly: self => {
      self.call("cap_copy", { sourceCNode: own, source: ConventionSlot.ownTcb, targetCNode: own, target: free })
      return exchange(grant(free + 1))
    },
    attack: self => {
      self.call("cap_delete", { cnode: own, slot: free })
      const byTcb = ["process_start", "process_wait", "process_kill"] as const
      return distinct([
        exchange(grant(free + 2)),
        ...byTcb.map(name => exchange(encodeRequest(name, CALL_ID, { tcb: free }))),
      ])
    },
  },
  replayed: {
    rightly: () => exchange(map(frame)),
    attack: () => {
      const message = map(frame)
      for (let sent = 0; sent < 3; sent++) send(message)
      const answers = [0, 1, 2].map(() => `${answer()} ${lastCallId()}`)
      return answers.every(text => text === `${SUCCEEDS} ${CALL_ID}`) ? "3 answers to itself" : distinct(answers)
    },
  },
  truncated: {
    rightly: () => exchange(map(frame)),
    attack: () => {
      const message = map(frame)
      return distinct(Array.from({ length: message.length - 1 }, (_, cut) => exchange(message.subarray(0, cut + 1))))
    },
  },
  nonsense: {
    rightly: () => exchange(encodeRequest("yield", CALL_ID, {})),
    attack: () => distinct(Array.from({ length: 500 }, (_, seed) => exchange(randomMessage(seed + 1)))),
  },
} satisfies Readonly<Record<string, Attack>>

/** Bytes that depend on `seed` alone; never a number of a syscall, some of which would be obeyed. */
function randomMessage(seed: number): Uint8Array {
  let state = seed * 2_654_435_761
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
  const message = Uint8Array.from({ length: 1 + (next() % 256) }, () => next() & 0xff)
  if (message.length > 2) message[2] = 0xff
  return message
}
