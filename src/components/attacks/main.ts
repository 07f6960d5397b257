// main.ts: a root task that lets one attacker after the other loose, beside two bystanders, and reports what each got.

import {
  ATTACK_FRAME_BYTES,
  ATTACK_UNTYPED_BITS,
  type AttackerReport,
  AttackSlot,
  type AttacksReport,
  KERNEL_ATTACK_KEYS,
} from "../../protocols/attacks.ts"
import { ALL_RIGHTS, type Child, type Component, ConventionSlot, component, ObjectType } from "../runtime/index.ts"
import { Bystanders } from "./bystanders.ts"

component(self => {
  const bystanders = Bystanders.start(self)
  const go = self.call("notification_create", {}).slot
  const report = (value: AttacksReport): void => self.report(value)
  const make = (index: number) => {
    const before = bystanders.look()
    const { child, owned } = spawn(self, index, go, bystanders)
    const { rightly, got } = attack(self, child, go)
    const disturbed = bystanders.disturbance(before)
    // The offender's end, and all that was made from what it was given.
    child.kill()
    ended(child)
    for (const slot of [...owned, child.tcb]) {
      self.call("cap_revoke", { cnode: self.ownCNode, slot })
      self.call("cap_delete", { cnode: self.ownCNode, slot })
    }
    const { items, longestMs } = bystanders.look()
    return { got, rightly, disturbed, items: items - before.items, longestMs }
  }
  // What is used here for the first time is then there to stay, and nothing of an attacker's.
  make(0)
  report({ kind: "ready" })
  for (const [index, key] of KERNEL_ATTACK_KEYS.entries()) report({ kind: "attack", key, ...make(index) })
  // Answered when the last report has been dealt with.
  self.call("yield", {})
})

interface Attacker {
  readonly child: Child
  /** Our slots with what was made for it. */
  readonly owned: readonly [frame: number, untyped: number]
}

function spawn(self: Component, index: number, go: number, bystanders: Bystanders): Attacker {
  const { ownCNode: cnode } = self
  const frame = self.call("memory_allocate", { bytes: ATTACK_FRAME_BYTES }).slot
  const untyped = self.call("cap_allocate", {}).slot
  self.call("retype", {
    untyped: ConventionSlot.untyped,
    type: ObjectType.Untyped,
    sizeBits: ATTACK_UNTYPED_BITS,
    cnode,
    slot: untyped,
    count: 1,
  })
  const child = self.spawnWithCaps({
    componentName: "attacker",
    capabilities: [
      [AttackSlot.frame, { slot: frame, rights: ALL_RIGHTS }],
      [AttackSlot.go, go],
      [AttackSlot.untyped, untyped],
    ],
    arguments: [index, bystanders.slot, bystanders.pid],
  })
  return { child, owned: [frame, untyped] }
}

/** Lets it do rightly what it will then do wrongly; then wrongly. One that is killed gets what the kernel says of its end. */
function attack(self: Component, child: Child, go: number): Required<AttackerReport> {
  child.start()
  const rightly = told(child, "rightly")
  self.notification(go).signal(1n)
  return { rightly, got: told(child, "got") }
}

/** What it reports under that name, other reports left aside; or its end, in words. */
function told(child: Child, name: keyof AttackerReport): string {
  for (;;) {
    const state = child.wait()
    if (state.kind === "exited") return `exited with code ${state.code}`
    if (state.kind === "killed") return state.detail
    const text = (state.report as AttackerReport)[name]
    if (text !== undefined) return text
  }
}

function ended(child: Child): void {
  while (child.wait().kind === "reported");
}
