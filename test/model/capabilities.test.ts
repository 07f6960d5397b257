// capabilities.test.ts: any sequence of calls on capabilities, against a model that is small enough to be seen to be
// right.

import assert from "node:assert/strict"
import fc from "fast-check"
import t from "tap"
import { ConventionSlot } from "../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../src/kernel-daemon/abi/object-types.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../helpers/kernel.ts"
import { nearestAncestor, violations } from "../helpers/kernel-invariants.ts"

/** One capability as the model sees it. Where it stands is the key that it is kept under. */
interface Node {
  readonly object: number
  readonly rights: number
  readonly badge: number
  readonly original: boolean
  parent: Node | undefined
}

const SLOTS = [200, 201, 202, 203, 204]
const slot = fc.constantFrom(...SLOTS)
const rights = fc.nat(7)
const operation = fc.oneof(
  fc.record({ kind: fc.constant("create" as const), target: slot }),
  fc.record({ kind: fc.constant("derive" as const), source: slot, target: slot, rights }),
  fc.record({ kind: fc.constant("mint" as const), source: slot, target: slot, rights, badge: fc.nat(3) }),
  fc.record({ kind: fc.constant("copy" as const), source: slot, target: slot }),
  fc.record({ kind: fc.constant("move" as const), source: slot, target: slot }),
  fc.record({ kind: fc.constant("delete" as const), target: slot }),
  fc.record({ kind: fc.constant("revoke" as const), target: slot }),
  fc.record({ kind: fc.constant("grant" as const), source: slot, target: slot, rights }),
  fc.record({ kind: fc.constant("childDelete" as const), target: slot }),
  fc.record({ kind: fc.constant("childRevoke" as const), target: slot }),
)
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never

/** Two CSpaces, as maps from "component:slot" to what stands there; and the rules of semantics.md, section 2. */
class Model {
  readonly slots = new Map<string, Node>()
  #objects = 0

  apply(operation: Operation, childPid: number): string {
    const own = (slot: number) => `${ROOT}:${slot}`
    const child = (slot: number) => `${childPid}:${slot}`
    switch (operation.kind) {
      case "create":
        this.#objects += 1
        return this.#put(own(operation.target), () => {
          return { object: this.#objects, rights: 7, badge: 0, original: true, parent: undefined }
        })
      case "derive":
      case "mint":
        return this.#from(own(operation.source), own(operation.target), source => {
          if ((operation.rights & ~source.rights) !== 0) return "IllegalOperation"
          if (operation.kind === "mint" && operation.badge === 0) return "InvalidArgument"
          if (operation.kind === "mint" && source.badge !== 0) return "IllegalOperation"
          const badge = operation.kind === "mint" ? operation.badge : source.badge
          return { ...source, rights: operation.rights, badge, original: operation.kind === "mint", parent: source }
        })
      case "copy":
        return this.#from(own(operation.source), own(operation.target), source => {
          return { ...source, original: false, parent: source.original ? source : source.parent }
        })
      case "move":
        return this.#from(own(operation.source), own(operation.target), source => {
          this.slots.delete(own(operation.source))
          return source
        })
      case "grant":
        return this.#from(own(operation.source), child(operation.target), source => {
          if ((source.rights & 4) === 0 || (operation.rights & ~source.rights) !== 0) return "IllegalOperation"
          return { ...source, rights: operation.rights, original: false, parent: source }
        })
      case "delete":
        return this.#delete(own(operation.target))
      case "childDelete":
        return this.#delete(child(operation.target))
      case "revoke":
        return this.#revoke(own(operation.target))
      case "childRevoke":
        return this.#revoke(child(operation.target))
    }
  }

  #put(target: string, make: () => Node | string): string {
    if (this.slots.has(target)) return "DeleteFirst"
    const made = make()
    if (typeof made === "string") return made
    this.slots.set(target, made)
    return "ok"
  }

  #from(source: string, target: string, make: (source: Node) => Node | string): string {
    return this.#put(target, () => {
      const node = this.slots.get(source)
      return node === undefined ? "FailedLookup" : make(node)
    })
  }

  #delete(target: string): string {
    const gone = this.slots.get(target)
    this.slots.delete(target)
    for (const node of this.slots.values()) if (gone !== undefined && node.parent === gone) node.parent = gone.parent
    return "ok"
  }

  #revoke(target: string): string {
    const root = this.slots.get(target)
    if (root === undefined) return "ok"
    for (const [place, node] of [...this.slots]) {
      let ancestor = node.parent
      while (ancestor !== undefined && ancestor !== root) ancestor = ancestor.parent
      if (ancestor === root) this.slots.delete(place)
    }
    return "ok"
  }
}

function perform(k: TestKernel, operation: Operation, child: { pid: number; tcb: number }): string {
  const cnode = OWN_CNODE
  switch (operation.kind) {
    case "create": {
      const { untyped } = ConventionSlot
      const args = { untyped, type: ObjectType.Page, sizeBits: 12, cnode, slot: operation.target, count: 1 }
      return k.outcome(ROOT, "retype", args)
    }
    case "derive":
      return k.outcome(ROOT, "cap_derive", { cnode, ...operation })
    case "mint":
      return k.outcome(ROOT, "cap_mint", { cnode, ...operation, badge: BigInt(operation.badge) })
    case "copy":
      return k.outcome(ROOT, "cap_copy", { sourceCNode: cnode, targetCNode: cnode, ...operation })
    case "move":
      return k.outcome(ROOT, "cap_move", { sourceCNode: cnode, targetCNode: cnode, ...operation })
    case "delete":
      return k.outcome(ROOT, "cap_delete", { cnode, slot: operation.target })
    case "revoke":
      return k.outcome(ROOT, "cap_revoke", { cnode, slot: operation.target })
    case "grant": {
      const { source, target, rights } = operation
      return k.outcome(ROOT, "cap_grant", { source, tcb: child.tcb, slot: target, rights })
    }
    case "childDelete":
      return k.outcome(child.pid, "cap_delete", { cnode, slot: operation.target })
    case "childRevoke":
      return k.outcome(child.pid, "cap_revoke", { cnode, slot: operation.target })
  }
}

/** Slots, rights, badges, who shares an object with whom, and who is derived from whom. */
function ensureAgree(k: TestKernel, model: Model, pids: readonly number[]): void {
  const nodeOf = new Map<unknown, Node>()
  const objectOf = new Map<number, unknown>()
  const places = pids.flatMap(pid => SLOTS.map(slot => ({ pid, slot, node: model.slots.get(`${pid}:${slot}`) })))
  for (const { pid, slot, node } of places) {
    const capability = k.state.components.get(pid)?.cspace.slots[slot]
    assert.equal(capability !== undefined, node !== undefined, `slot ${slot} of ${pid}`)
    if (capability === undefined || node === undefined) continue
    nodeOf.set(capability, node)
    const { rights, badge, original, object } = capability
    assert.deepEqual(
      { rights, badge, original },
      { rights: node.rights, badge: BigInt(node.badge), original: node.original },
    )
    assert.equal(objectOf.get(node.object) ?? object, object, "the same object")
    objectOf.set(node.object, object)
  }
  for (const { pid, slot, node } of places) {
    const capability = k.state.components.get(pid)?.cspace.slots[slot]
    if (capability === undefined || node === undefined) continue
    assert.equal(nodeOf.get(nearestAncestor(capability)), node.parent, `parent of slot ${slot} of ${pid}`)
  }
}

t.test("any sequence of calls does what the model says, and the tables hold together after each", async t => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: "max" }), operations => {
      const k = new TestKernel()
      const child = k.spawn()
      const model = new Model()
      const before = k.freeBytes
      for (const operation of operations) {
        assert.equal(perform(k, operation, child), model.apply(operation, child.pid), JSON.stringify(operation))
        ensureAgree(k, model, [ROOT, child.pid])
        assert.deepEqual(violations(k.state), [])
      }
      for (const slot of SLOTS) {
        k.delete(ROOT, slot)
        k.delete(child.pid, slot)
      }
      assert.equal(k.freeBytes, before, "all memory is back")
      assert.equal(k.memories.size, 0)
    }),
    { numRuns: 300 },
  )
  t.pass("300 sequences of up to 60 calls")
})
