// seal.ts: syscalls that let nobody map a frame for writing any more, and that give it new memory for its next writer.

import { KernelError } from "../abi/errors.ts"
import { Permission, Right } from "../abi/rights.ts"
import type { Args, Result } from "../abi/syscalls.ts"
import type { Component } from "../objects/component.ts"
import type { Frame } from "../objects/frame.ts"
import type { MemoryId } from "../objects/kernel-object.ts"
import type { Mapping } from "../objects/mapping.ts"
import { ensureRights, ensureUsable, lookupTyped } from "./lookup.ts"
import { ensurePagesLanded, mapEffect } from "./mappings.ts"
import { type Caller, Transaction } from "./outcome.ts"
import { rouseAll } from "./peer-status.ts"
import type { KernelState, Piece } from "./state.ts"

/**
 * memory_seal: the frame's memory can from now on be mapped for reading only, by anybody and whatever capability they have:
 * Linux refuses it (F_SEAL_FUTURE_WRITE), also to who has got hold of a descriptor. Mappings that stand go on, so it is
 * called when the frame's one writer has its own. Sealing again changes nothing.
 *
 * @throws {KernelError} FailedLookup, InvalidCapability: the slot holds no frame capability
 * @throws {KernelError} IllegalOperation: it lacks write; or another call maps, seals or renews the frame
 * @throws {KernelError} RevokeFirst: the capability is being revoked
 */
export function memorySeal(
  state: KernelState,
  { component }: Caller,
  { frame: slot }: Args<"memory_seal">,
): Transaction<Result<"memory_seal">> {
  const { frame, mappings } = changeable(component, slot, Right.write)
  for (const mapping of mappings) ensurePagesLanded(mapping)
  const giveBack = change(frame)
  const commit = () => {
    frame.state = "sealed"
    for (const sleeper of componentsOf(frame.peers.mappings())) rouseAll(state, sleeper)
    return {}
  }
  return new Transaction([{ kind: "seal-memory", memory: frame.memory }], commit, giveBack)
}

/**
 * memory_renew: a new memory with the same contents takes the place of the frame's own, at the same address in everybody who
 * has it mapped. It is not sealed: another writer can map it. Nobody can write meanwhile, so nothing is lost.
 *
 * @throws {KernelError} FailedLookup, InvalidCapability, RevokeFirst: as for memory_seal
 * @throws {KernelError} IllegalOperation: write or grant is missing; somebody has the frame mapped for writing; or another
 * call maps, seals or renews it
 * @throws {KernelError} NotEnoughMemory: Linux has no memory for the copy
 * @throws {KernelError} Revoked: the frame went while it was copied
 *
 * Cost: about 0.7 ms for each MiB, in slices between which others are served.
 */
export function memoryRenew(
  state: KernelState,
  { component }: Caller,
  { frame: slot }: Args<"memory_renew">,
): Transaction<Result<"memory_renew">> {
  const { frame, mappings } = changeable(component, slot, Right.write | Right.grant)
  for (const mapping of mappings) {
    ensurePagesLanded(mapping)
    ensureReads(mapping)
  }
  const giveBack = change(frame)
  const { bytes, memory: from } = frame
  const to = state.newMemoryId()
  const commit = () => {
    if (frame.references === 0) {
      state.emit({ kind: "destroy-memory", memory: to })
      throw new KernelError("Revoked", `frame ${frame.id} went while its contents were copied`)
    }
    frame.state = "open"
    frame.memory = to
    frame.formerMemories.add(from)
    const standing = [...frame.peers.mappings()].filter(mapping => !mapping.leaving)
    const maps = standing.map(mapping => mapEffect(mapping, mapping.permissions))
    state.emit({ kind: "move-mappings", from, maps })
    state.emit({ kind: "destroy-memory", memory: from })
    // By then it has been seen that nobody shows it. Until then the frame may have been renewed again by another call.
    state.emit({ kind: "continue", token: state.keepPiece(forgetting(frame, from)), worked: false })
    // Who sleeps does so on words of the old memory, and on a status word.
    for (const sleeper of componentsOf(standing)) rouseAll(state, sleeper)
    return {}
  }
  const label = `frame-${frame.id}`
  return new Transaction(
    [
      { kind: "create-memory", memory: to, bytes, label, kernelWrites: false, forReaders: true },
      { kind: "copy-memory", from, to, bytes },
    ],
    commit,
    giveBack,
  )
}

function changeable(component: Component, slot: number, needed: number): { frame: Frame; mappings: Iterable<Mapping> } {
  const { capability, object: frame } = lookupTyped(component, slot, "Page")
  ensureRights(capability, needed)
  ensureUsable(capability)
  frame.ensureSettled()
  return { frame, mappings: frame.peers.mappings() }
}

/** Keeps others from changing or mapping the frame. Returns what makes it as it was. */
function change(frame: Frame): () => void {
  const before = frame.state
  frame.state = "changing"
  return () => {
    frame.state = before
  }
}

/** @throws {KernelError} IllegalOperation: what is written there while the memory is copied would be lost */
function ensureReads({ component, object, permissions }: Mapping): void {
  if ((permissions & Permission.write) === 0) return
  throw new KernelError(
    "IllegalOperation",
    `component ${component.id} "${component.name}" has frame ${(object as Frame).id} mapped for writing: ` +
      "end it, or have it unmap, first",
  )
}

function forgetting(frame: Frame, former: MemoryId): Piece {
  const apply = (): true => {
    frame.formerMemories.delete(former)
    return true
  }
  return { collect: () => [], apply }
}

function componentsOf(mappings: Iterable<Mapping>): Set<Component> {
  return new Set([...mappings].map(({ component }) => component))
}
