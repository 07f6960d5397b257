// capabilities.test.ts: any sequence of calls on capabilities, in both profiles, against capability-model.ts.

import assert from "node:assert/strict"
import fc from "fast-check"
import t from "tap"
import { ConventionSlot, OBJECT_BYTES, PAGE_BYTES, ROOT_CNODE_SLOTS } from "../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../src/kernel-daemon/abi/object-types.ts"
import { PROFILE_NAMES, type ProfileName, Profiles } from "../../src/kernel-daemon/abi/profile.ts"
import { Right } from "../../src/kernel-daemon/abi/rights.ts"
import { KernelState } from "../../src/kernel-daemon/invocation/state.ts"
import type { CNode } from "../../src/kernel-daemon/objects/cnode.ts"
import type { Untyped } from "../../src/kernel-daemon/objects/untyped.ts"
import { ROOT, ROOT_BYTES, TestKernel } from "../helpers/kernel.ts"
import { nearestAncestor, violations } from "../helpers/kernel-invariants.ts"
import { snapshot } from "../helpers/kernel-snapshot.ts"
import { CapabilityModel, type Holder, type ModelObject, type ModelType, type Node, OWN } from "./capability-model.ts"

/** Memory from which the calls make objects: soon used up. */
const BASE_SLOT = 190
const BASE_BITS = 15
/** To begin with, a CNode from that memory, and capabilities to it that may only read and only write. */
const SHELF_SLOT = 201
const { untyped: ROOT_UNTYPED } = ConventionSlot
/** In each CNode; those from 101 to 103 of the root CNode are handed out by the allocator as well. */
const SLOTS = [101, 102, 103, 200, 201]

const mostly = (usual: fc.Arbitrary<number>, rare: fc.Arbitrary<number>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: rare })
const NARROW_SHELVES = [
  [202, Right.read],
  [203, Right.write],
] as const
const SHELF_BYTES = ROOT_CNODE_SLOTS * OBJECT_BYTES.capSlot

const slot = fc.constantFrom(...SLOTS)
const source = mostly(slot, fc.constant(BASE_SLOT))
const cnode = fc.oneof(
  { weight: 3, arbitrary: fc.constant(OWN) },
  { weight: 1, arbitrary: fc.constantFrom(...SLOTS, 201, 202, 203, 202, 203) },
)
const place = fc.record({ cnode, slot })
const from = fc.record({ cnode, slot: source })
const rights = mostly(fc.constantFrom(7, 7, 3), fc.nat(7))
const untyped = fc.oneof({ weight: 2, arbitrary: fc.constant(BASE_SLOT) }, { weight: 1, arbitrary: slot })

/** What the model calls an object, what retype makes it from, and what it takes. */
const MADE: readonly (readonly [ModelType, type: number, sizeBits: number, bytes: number])[] = [
  ["frame", ObjectType.Page, 12, 2 ** 12],
  ["notification", ObjectType.Notification, 0, PAGE_BYTES],
  ["untyped", ObjectType.Untyped, 14, 2 ** 14],
  ["cnode", ObjectType.CNode, 8, SHELF_BYTES],
  ["tcb", ObjectType.TCB, 0, OBJECT_BYTES.tcb],
  ["vspace", ObjectType.VSpace, 0, OBJECT_BYTES.vspace],
]

const operation = fc.oneof(
  fc.record({ kind: fc.constant("allocate" as const) }),
  fc.record({ kind: fc.constant("memoryAllocate" as const) }),
  fc.record({
    kind: fc.constant("retype" as const),
    untyped,
    made: fc.constantFrom(...MADE),
    place,
    count: fc.constantFrom(1, 1, 1, 2),
  }),
  fc.record({ kind: fc.constant("derive" as const), cnode, source, target: slot, rights }),
  fc.record({ kind: fc.constant("mint" as const), cnode, source, target: slot, rights, badge: fc.nat(2) }),
  fc.record({ kind: fc.constant("copy" as const), from, to: place }),
  fc.record({ kind: fc.constant("move" as const), from: place, to: place }),
  fc.record({ kind: fc.constant("grant" as const), source, target: slot, rights }),
  fc.record({ kind: fc.constant("insertInto" as const), source, target: slot }),
  fc.record({ kind: fc.constant("delete" as const), place }),
  fc.record({ kind: fc.constant("revoke" as const), place: from }),
  fc.record({ kind: fc.constant("childDelete" as const), place }),
  fc.record({ kind: fc.constant("childRevoke" as const), place }),
)
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never

/** A kernel with a child and with memory to make objects from, and the model of both. */
class World {
  readonly k: TestKernel
  readonly child: { readonly pid: number; readonly tcb: number }
  readonly model: CapabilityModel

  constructor(profile: ProfileName) {
    this.k = new TestKernel(new KernelState({ profile }))
    this.child = this.k.spawn()
    const childBytes = ROOT_BYTES - this.k.freeBytes
    const memory = { type: ObjectType.Untyped, sizeBits: BASE_BITS, cnode: OWN, slot: BASE_SLOT, count: 1 }
    this.k.call(ROOT, "retype", { untyped: ROOT_UNTYPED, ...memory })
    this.model = new CapabilityModel(Profiles[profile], ROOT)
    const shelf = { type: ObjectType.CNode, sizeBits: 8, cnode: OWN, slot: SHELF_SLOT, count: 1 }
    this.k.call(ROOT, "retype", { untyped: BASE_SLOT, ...shelf })
    const all = this.model.begin(ROOT, ROOT_UNTYPED, "untyped", ROOT_BYTES)
    // Not one of the model's types, and never touched: it only keeps its slot occupied.
    this.model.begin(ROOT, this.child.tcb, "notification", childBytes, all)
    const base = this.model.begin(ROOT, BASE_SLOT, "untyped", 2 ** BASE_BITS, all)
    this.model.begin(ROOT, SHELF_SLOT, "cnode", SHELF_BYTES, base)
    for (const [target, rights] of NARROW_SHELVES) {
      const narrow = { kind: "derive" as const, cnode: OWN, source: SHELF_SLOT, target, rights }
      assert.equal(this.performed(narrow), this.foretold(narrow))
    }
  }

  performed(operation: Operation): string {
    const { k, child } = this
    switch (operation.kind) {
      case "allocate":
        return String(k.call(ROOT, "cap_allocate", {}).slot)
      case "memoryAllocate":
        return k.outcome(ROOT, "memory_allocate", { bytes: PAGE_BYTES })
      case "retype": {
        const [, type, sizeBits] = operation.made
        const { untyped, place, count } = operation
        return k.outcome(ROOT, "retype", { untyped, type, sizeBits, ...place, count })
      }
      case "derive":
        return k.outcome(ROOT, "cap_derive", operation)
      case "mint":
        return k.outcome(ROOT, "cap_mint", { ...operation, badge: BigInt(operation.badge) })
      case "copy":
      case "move": {
        const { from, to } = operation
        const slots = { sourceCNode: from.cnode, source: from.slot, targetCNode: to.cnode, target: to.slot }
        return k.outcome(ROOT, operation.kind === "copy" ? "cap_copy" : "cap_move", slots)
      }
      case "grant": {
        const { source, target, rights } = operation
        return k.outcome(ROOT, "cap_grant", { source, tcb: child.tcb, slot: target, rights })
      }
      case "insertInto":
        return k.outcome(ROOT, "cap_insert_into", { source: operation.source, tcb: child.tcb, slot: operation.target })
      case "delete":
        return k.outcome(ROOT, "cap_delete", operation.place)
      case "revoke":
        return k.outcome(ROOT, "cap_revoke", operation.place)
      case "childDelete":
        return k.outcome(child.pid, "cap_delete", operation.place)
      case "childRevoke":
        return k.outcome(child.pid, "cap_revoke", operation.place)
    }
  }

  foretold(operation: Operation): string {
    const { model, child } = this
    switch (operation.kind) {
      case "allocate":
        return String(model.allocate())
      case "memoryAllocate":
        return model.memoryAllocate(ROOT_UNTYPED, PAGE_BYTES)
      case "retype": {
        const [type, , , bytes] = operation.made
        return model.retype(operation.untyped, type, bytes, operation.place, operation.count)
      }
      case "derive":
        return model.derive(operation.cnode, operation.source, operation.target, operation.rights)
      case "mint":
        return model.mint(operation.cnode, operation.source, operation.target, operation.rights, operation.badge)
      case "copy":
        return model.copy(operation.from, operation.to)
      case "move":
        return model.move(operation.from, operation.to)
      case "grant":
        return model.grant(operation.source, child.pid, operation.target, operation.rights)
      case "insertInto":
        return model.insertInto(operation.source, child.pid, operation.target)
      case "delete":
        return model.delete(operation.place)
      case "revoke":
        return model.revoke(operation.place)
      case "childDelete":
        return model.delete(operation.place, child.pid)
      case "childRevoke":
        return model.revoke(operation.place, child.pid)
    }
  }

  /** Slots, rights, badges, memory, who shares an object with whom, and who is derived from whom. */
  ensureAgree(): void {
    const { k, child, model } = this
    const nodeOf = new Map<unknown, Node>()
    const objectOf = new Map<ModelObject, unknown>()
    const holders: [Holder, CNode | undefined][] = [ROOT, child.pid].map(pid => [
      pid,
      k.state.components.get(pid)?.cspace,
    ])
    for (const [holder, cspace] of holders) {
      for (let slot = FIRST_COMPARED; slot < ROOT_CNODE_SLOTS; slot++) {
        const [capability, node] = [cspace?.slots[slot], model.at(holder, slot)]
        assert.equal(capability !== undefined, node !== undefined, `slot ${slot} of ${name(holder)}`)
        if (capability === undefined || node === undefined || slot === child.tcb) continue
        nodeOf.set(capability, node)
        const { rights, badge, original, object } = capability
        const wanted = { rights: node.rights, badge: BigInt(node.badge), original: node.original }
        assert.deepEqual({ rights, badge, original }, wanted, `slot ${slot} of ${name(holder)}`)
        assert.equal(objectOf.get(node.object) ?? object, object, "the same object")
        if (object.type === "CNode" && !objectOf.has(node.object)) holders.push([node.object, object])
        if (object.type === "Untyped") assert.equal(object.freeBytes, model.free(node.object), `memory in slot ${slot}`)
        objectOf.set(node.object, object)
      }
    }
    const rootUntyped = model.at(ROOT, ROOT_UNTYPED)
    for (const [capability, node] of nodeOf) {
      const ancestor = nearestAncestor(capability as Parameters<typeof nearestAncestor>[0])
      const parent = node.parent === rootUntyped ? undefined : node.parent
      assert.equal(nodeOf.get(ancestor), parent, "who it was derived from")
    }
  }

  /** Revokes all memory: whatever stands, and wherever it has been hidden, was made from it. */
  ensureAllComesBack(): void {
    const { k, child } = this
    const untyped = k.state.components.get(ROOT)?.cspace.lookup(ROOT_UNTYPED).object as Untyped
    k.revoke(ROOT, ROOT_UNTYPED)
    k.end(child.pid)
    assert.equal(untyped.freeBytes, ROOT_BYTES, "all memory is back")
    assert.equal(k.memories.size, 0)
    assert.deepEqual(violations(k.state), [])
  }
}

/** Below it stand a component's own objects. */
const FIRST_COMPARED = 12

function name(holder: Holder): string {
  return typeof holder === "number" ? `component ${holder}` : "a CNode"
}

/** One call, as fast-check takes it. */
class Call implements fc.Command<World, World> {
  readonly #operation: Operation

  constructor(operation: Operation) {
    this.#operation = operation
  }

  check(): boolean {
    return true
  }

  run(world: World): void {
    const { k } = world
    const before = snapshot(k.state)
    const foretold = world.foretold(this.#operation)
    const outcome = world.performed(this.#operation)
    assert.equal(outcome, foretold, String(this))
    seen.set(`${this.#operation.kind} ${/^\d+$/.test(outcome) ? "ok" : outcome}`, true)
    if (outcome !== "ok" && this.#operation.kind !== "allocate") {
      assert.deepEqual(snapshot(k.state), before, "a refused call changes nothing")
    }
    world.ensureAgree()
    assert.deepEqual(violations(k.state), [])
  }

  toString(): string {
    return JSON.stringify(this.#operation)
  }
}

/** Which outcomes each call had, so that none is left out by chance. */
const seen = new Map<string, true>()
const OUTCOMES = [
  ...["allocate", "memoryAllocate", "insertInto", "retype", "derive", "mint", "copy", "move", "grant", "delete"],
  ...["revoke", "childDelete", "childRevoke"],
].map(kind => `${kind} ok`)
const REFUSALS = ["retype", "derive", "mint", "copy", "move", "grant", "insertInto"].flatMap(kind =>
  ["FailedLookup", "DeleteFirst"].map(code => `${kind} ${code}`),
)

for (const profile of PROFILE_NAMES) {
  t.test(
    `any sequence of calls does what the model says, and the tables hold together: profile ${profile}`,
    async t => {
      seen.clear()
      fc.assert(
        fc.property(fc.commands([operation.map(each => new Call(each))], { maxCommands: 60, size: "max" }), calls => {
          const world = new World(profile)
          fc.modelRun(() => ({ model: world, real: world }), calls)
          world.ensureAllComesBack()
        }),
        { numRuns: 200 },
      )
      t.strictSame(
        [...OUTCOMES, ...REFUSALS].filter(outcome => !seen.has(outcome)),
        [],
        "each call was done, and refused",
      )
    },
  )
}
