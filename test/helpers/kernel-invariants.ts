// kernel-invariants.ts: what must hold in the kernel's tables between any two invocations, whatever was called.

import type { KernelState } from "../../src/kernel-daemon/invocation/state.ts"
import type { Capability } from "../../src/kernel-daemon/objects/capability.ts"
import type { CNode } from "../../src/kernel-daemon/objects/cnode.ts"
import { isShared, type KernelObject } from "../../src/kernel-daemon/objects/kernel-object.ts"
import type { Untyped } from "../../src/kernel-daemon/objects/untyped.ts"

/** Every violation, in words; empty when all holds. No call may be under way. */
export function violations(state: KernelState): string[] {
  const found: string[] = []
  const ensure = (holds: boolean, what: string) => {
    if (!holds) found.push(what)
  }
  const capabilities = standing(state)
  const objects = new Map<KernelObject, number>()
  for (const component of state.components.values()) {
    for (const held of component.state === "ended" ? [] : [component, component.cspace, component.vspace]) {
      objects.set(held, (objects.get(held) ?? 0) + 1)
    }
  }
  for (const capability of capabilities) {
    const { object, cnode, slot, parent } = capability
    const name = `${object.type} in slot ${slot} of ${cnode?.owner}`
    objects.set(object, (objects.get(object) ?? 0) + 1)
    ensure(cnode?.slots[slot] === capability, `${name} does not stand where it says`)
    ensure(capability.claims === 0, `${name} is claimed by a removal that is not there`)
    if (parent !== undefined) {
      const made = object !== parent.object && isMadeFrom(object, parent.object)
      ensure(made || object === parent.object, `${name} names another object than its parent`)
      ensure(made || (capability.rights & ~parent.rights) === 0, `${name} has more rights than its parent`)
      ensure(
        made || state.profile.mintRebadges || parent.badge === 0n || parent.badge === capability.badge,
        `${name} has another badge than its parent`,
      )
    }
    for (const mapping of capability.mappings ?? []) {
      ensure(mapping.alive, `${name} has a dead mapping`)
      ensure(mapping.component.vspace.find(mapping.address) === mapping, `${name} has a mapping that no VSpace knows`)
    }
  }
  // An untyped whose capabilities are gone stays for what was made from it.
  for (const { origin } of [...objects.keys()]) {
    for (let from = origin; from !== undefined; from = from.origin) if (!objects.has(from)) objects.set(from, 0)
  }
  for (const [object, references] of objects) {
    ensure(object.references === references, `${object.type} counts ${object.references} references, has ${references}`)
    if (object.type === "Untyped") ensureAccount(object, objects, ensure)
    if (object.type === "Page") ensure(object.state !== "changing", `frame ${object.id} is being changed by nobody`)
    if (object.type === "CNode") ensureCount(object, ensure)
    if (isShared(object)) {
      const peers = [...state.components.keys()].filter(id => object.peers.has(id)).length
      ensure(object.peers.count === peers, `${object.type} counts ${object.peers.count} peers, has ${peers}`)
    }
  }
  ensureTree(capabilities, ensure)
  ensureMappings(state, ensure)
  return found
}

function isMadeFrom(object: KernelObject, untyped: KernelObject): boolean {
  let origin = object.origin
  while (origin !== undefined && origin !== untyped) origin = origin.origin
  return origin === untyped
}

/** The capability that a capability was derived from, or the nearest of its ancestors that still stands in a slot. */
export function nearestAncestor(capability: Capability): Capability | undefined {
  let ancestor = capability.parent
  while (ancestor !== undefined && ancestor.cnode === undefined) ancestor = ancestor.parent
  return ancestor
}

function* children(parent: Capability): Iterable<Capability> {
  for (let child = parent.firstChild; child !== undefined; child = child.next) yield child
}

/**
 * All capabilities: those that a component can reach, and those in CNodes that hold the only capabilities to
 * themselves, which nobody can reach but a revoke of the untyped that they were made from (as in seL4).
 */
export function standing(state: KernelState): Set<Capability> {
  const found = new Set<Capability>()
  const seen = new Set<CNode>()
  const cnodes = [...state.components.values()].map(({ cspace }) => cspace)
  for (;;) {
    for (let cnode = cnodes.pop(); cnode !== undefined; cnode = cnodes.pop()) {
      if (seen.has(cnode)) continue
      seen.add(cnode)
      for (const capability of cnode.slots) {
        if (capability === undefined) continue
        found.add(capability)
        if (capability.object.type === "CNode") cnodes.push(capability.object)
      }
    }
    for (const { cnode } of treesOf(found)) if (cnode !== undefined && !seen.has(cnode)) cnodes.push(cnode)
    if (cnodes.length === 0) return found
  }
}

/** Every node of every tree that one of the capabilities is part of. */
function treesOf(capabilities: ReadonlySet<Capability>): Set<Capability> {
  const left: Capability[] = []
  const nodes = new Set<Capability>()
  for (const capability of capabilities) {
    let root = capability
    while (root.parent !== undefined && !nodes.has(root)) root = root.parent
    if (!nodes.has(root)) left.push(root)
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      nodes.add(node)
      left.push(...children(node))
    }
  }
  return nodes
}

type Ensure = (holds: boolean, what: string) => void

function ensureAccount(untyped: Untyped, objects: ReadonlyMap<KernelObject, number>, ensure: Ensure): void {
  let taken = 0
  for (const object of objects.keys()) if (object.origin === untyped) taken += object.chargedBytes
  const { chargedBytes, freeBytes } = untyped
  ensure(freeBytes === chargedBytes - taken, `untyped of ${chargedBytes} has ${freeBytes} free, ${taken} are taken`)
}

function ensureCount(cnode: CNode, ensure: Ensure): void {
  const occupied = cnode.slots.filter(slot => slot !== undefined).length
  ensure(
    cnode.occupied === occupied,
    `CNode of ${cnode.owner} counts ${cnode.occupied} slots, ${occupied} are occupied`,
  )
}

/** No slotless node that is not needed, no broken link, nobody whom no slot holds. */
function ensureTree(capabilities: ReadonlySet<Capability>, ensure: Ensure): void {
  const nodes = treesOf(capabilities)
  for (const node of nodes) {
    const own = [...children(node)]
    if (node.cnode === undefined) ensure(own.length >= 2, `a stump of ${node.object.type} has ${own.length} children`)
    else ensure(capabilities.has(node), `${node.object.type} in slot ${node.slot} stands in the tree, in no slot`)
    own.forEach((child, index) => {
      ensure(child.parent === node, "a child names another parent")
      ensure(child.previous === own[index - 1], "a child names another neighbour")
    })
  }
  for (const capability of capabilities) {
    ensure(
      nodes.has(capability),
      `${capability.object.type} in slot ${capability.slot} is not among its parent's children`,
    )
  }
}

function ensureMappings(state: KernelState, ensure: Ensure): void {
  for (const { id, vspace } of state.components.values()) {
    let end = 0
    for (const { address, bytes, alive, inFlight, capability } of vspace.mappings) {
      ensure(alive && inFlight === 0, `component ${id} keeps a range at ${address} for nobody`)
      ensure(address > end, `component ${id} has no guard page below ${address}`)
      ensure(capability.cnode !== undefined, `component ${id} has a mapping at ${address} without a capability`)
      end = address + bytes
    }
  }
}
