// mappings.ts: enters mappings into a component's VSpace and takes them out. The pages themselves are the broker's.

import { KernelError } from "../abi/errors.ts"
import type { Permissions } from "../abi/rights.ts"
import type { Capability } from "../objects/capability.ts"
import type { Component } from "../objects/component.ts"
import { describeObject, type MemoryId, type SharedObject } from "../objects/kernel-object.ts"
import { Lingering } from "../objects/lingering.ts"
import { describeMapping, Mapping, NO_STATUS_WORD, type Part } from "../objects/mapping.ts"
import type { PlacedBell } from "../objects/notification.ts"
import type { AcquireEffect, HangBellEffect, MapEffect, UnmapEffect } from "./effects.ts"
import { Transaction } from "./outcome.ts"
import { welcome } from "./peer-status.ts"
import type { KernelState } from "./state.ts"

/** Where in a VSpace, how much, and what its component may do there. */
export interface Range {
  readonly address: number
  readonly bytes: number
  readonly permissions: Permissions
}

/**
 * Enters the mapping of an object, from its start, over a free range of a component. It stands in the tables before its
 * pages do, so that a revoke which comes while the broker maps finds it.
 */
export function enter(
  state: KernelState,
  component: Component,
  { capability, object }: { readonly capability: Capability; readonly object: SharedObject },
  { address, bytes, permissions }: Range,
): Mapping {
  const mapping = new Mapping(component, capability, object, address, bytes, permissions)
  component.vspace.add(mapping)
  capability.mappings ??= new Set()
  capability.mappings.add(mapping)
  object.peers.addMapping(mapping)
  welcome(state, object)
  return mapping
}

/** As ensureLanded, for who has to do with its pages: that an end of a ring comes or goes there does not matter. */
export function ensurePagesLanded(mapping: Mapping): void {
  if (mapping.inFlight > mapping.bellsInFlight) ensureLanded(mapping)
}

/** As whileInFlight, for what concerns the bells of a mapping and not its pages. */
export function whileBellsInFlight<R>(
  mapping: Mapping,
  acquire: readonly AcquireEffect[],
  commit: () => R,
  refuse: () => void,
): Transaction<R> {
  mapping.bellsInFlight += 1
  const { commit: landAndCommit, refuse: landAndRefuse } = whileInFlight(mapping, acquire, commit, refuse)
  return new Transaction(
    acquire,
    proved => {
      mapping.bellsInFlight -= 1
      return landAndCommit(proved)
    },
    () => {
      mapping.bellsInFlight -= 1
      landAndRefuse()
    },
  )
}

/** Has the pages of an entered mapping mapped. */
export function mapPages<R>(mapping: Mapping, result: () => R): Transaction<R> {
  return whileInFlight(mapping, [mapEffect(mapping, mapping.permissions)], result, () => detach(mapping))
}

/**
 * A transaction over the pages of one mapping. Its range is not given to another while it runs. If the mapping is
 * revoked meanwhile the call is refused: the broker has had the revoke's unmap after this call's effect.
 */
export function whileInFlight<R>(
  mapping: Mapping,
  acquire: readonly AcquireEffect[],
  commit: (proved: boolean) => R,
  refuse: () => void,
): Transaction<R> {
  mapping.inFlight += 1
  return new Transaction(
    acquire,
    proved => {
      landed(mapping)
      if (!mapping.alive) {
        throw new KernelError(
          "Revoked",
          `the capability to ${describeObject(mapping.object)} was revoked during the call`,
        )
      }
      return commit(proved)
    },
    () => {
      landed(mapping)
      refuse()
    },
  )
}

/** @throws {KernelError} IllegalOperation: another call is about to map or unmap it */
export function ensureLanded(mapping: Mapping): void {
  if (mapping.inFlight === 0) return
  throw new KernelError(
    "IllegalOperation",
    `${describeMapping(mapping)}, is being changed by another call: try again after it`,
  )
}

/** A component and an object that it may show something of, though no mapping says so. */
export interface Lingered {
  readonly component: Component
  readonly object: SharedObject
}

/** One look at each component for each memory that it loses something of, or may not have let go. */
export function provesOf(mappings: readonly Mapping[], lingered: readonly Lingered[] = []): AcquireEffect[] {
  const proves = new Map<string, AcquireEffect>()
  const look = ({ id: component }: Component, memory: MemoryId, object: SharedObject): void => {
    const bellsOf = object.type === "Page" ? object.id : memory
    proves.set(`${component} ${memory}`, { kind: "prove-unmapped", component, memory, bellsOf })
  }
  for (const { component, object, parts } of mappings) {
    for (const { memory } of parts) look(component, memory, object)
    if (object.type === "Page") for (const memory of object.formerMemories) look(component, memory, object)
  }
  for (const { component, object } of lingered) for (const memory of object.memories) look(component, memory, object)
  return [...proves.values()]
}

/** One invocation that named the mapping's range has ended. */
export function landed(mapping: Mapping): void {
  mapping.inFlight -= 1
  releaseRange(mapping)
}

export function mapEffect({ component, object, address, bytes }: Mapping, permissions: Permissions): MapEffect {
  return { kind: "map", component: component.id, memory: object.memory, address, bytes, permissions }
}

export function mapPart({ component }: Mapping, part: Part): MapEffect {
  return { kind: "map", component: component.id, ...part }
}

/** The bells of a notification's mapping: of one who waits those that wake it, of a signaller the one that it rings. */
export function hangBells(mapping: Mapping, bells: readonly PlacedBell[], whose: "own" | "peers"): HangBellEffect[] {
  const component = mapping.component.id
  return bells.map(({ memory, address }) => ({
    kind: "hang-bell",
    component,
    address,
    memory,
    bell: "waiter",
    whose,
  }))
}

export function unmapEffect({ component, address, bytes }: Mapping): UnmapEffect {
  return { kind: "unmap", component: component.id, address, bytes }
}

/**
 * Takes a mapping out of the tables; does nothing when it is out already. Its capability remembers who may still show it.
 * @param proved its component was seen to have let go
 *
 * Cost: logarithmic in the component's mappings, and a shift of those above it.
 */
export function detach(mapping: Mapping, proved = false): void {
  if (!mapping.alive) return
  mapping.alive = false
  const { component, capability, object } = mapping
  capability.mappings?.delete(mapping)
  if (!proved || !component.confined) {
    capability.lingering ??= new Lingering()
    capability.lingering.add(component)
  }
  object.peers.removeMapping(mapping)
  if (object.type === "Notification") object.forget(mapping)
  else for (const end of object.ends.through(mapping)) object.ends.leave(end, mapping)
  if (mapping.statusWord !== NO_STATUS_WORD) {
    component.statusWords.free(mapping.statusWord)
    mapping.statusWord = NO_STATUS_WORD
  }
  releaseRange(mapping)
}

function releaseRange(mapping: Mapping): void {
  if (!mapping.alive && mapping.inFlight === 0) mapping.component.vspace.remove(mapping)
}
