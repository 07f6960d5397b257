// peer-status.ts: tells components, through their status words, that they are alone with an object or no longer are.

import { KernelError } from "../abi/errors.ts"
import { KERNEL_PAGE, MAX_STATUS_WORDS } from "../abi/vspace-map.ts"
import type { Component } from "../objects/component.ts"
import type { SharedObject } from "../objects/kernel-object.ts"
import { type Mapping, NO_STATUS_WORD } from "../objects/mapping.ts"
import type { HandleStatus } from "../objects/status-words.ts"
import type { KernelState } from "./state.ts"

const STATUS_WORD_BYTES = 4

/** Makes the status word of a mapping say `status`, if it has one. */
export function tell(state: KernelState, mapping: Mapping, status: HandleStatus): void {
  const { component, statusWord } = mapping
  if (statusWord === NO_STATUS_WORD || component.state === "ended") return
  if (!component.statusWords.say(statusWord, status)) return
  setStatus(state, mapping, status)
}

/** Wakes who sleeps on the status word of a mapping, if it has one. */
function rouse(state: KernelState, mapping: Mapping): void {
  const { component, statusWord } = mapping
  if (statusWord === NO_STATUS_WORD || component.state === "ended") return
  setStatus(state, mapping, component.statusWords.said(statusWord))
}

/** Who sleeps on the word is woken by the write, who sleeps in an event loop by its bell. */
function setStatus(state: KernelState, mapping: Mapping, status: HandleStatus): void {
  const { component, object, statusWord } = mapping
  state.emit({ kind: "set-status", component: component.id, index: statusWord, status })
  if (object.type === "Page") {
    for (const bell of object.ends.through(mapping)) state.emit({ kind: "ring-bell", memory: object.id, bell })
  } else if (object.isWaiter(mapping)) state.emit({ kind: "ring-bell", memory: object.memory, bell: "waiter" })
}

/** Wakes whoever sleeps in a component: every sleep includes a status word. Cost: linear in its mappings. */
export function rouseAll(state: KernelState, { vspace }: Component): void {
  for (const mapping of vspace.mappings) rouse(state, mapping)
}

/** @throws {KernelError} NotEnoughMemory: the mapping, if there is one yet, has no status word and all are in use */
export function ensureStatusWord({ id, statusWords }: Component, mapping: Mapping | undefined): void {
  if (statusWords.available || (mapping !== undefined && mapping.statusWord !== NO_STATUS_WORD)) return
  throw new KernelError(
    "NotEnoughMemory",
    `component ${id} has ${MAX_STATUS_WORDS} attached mappings, no further one gets a status word: unmap one`,
  )
}

/** The address of a mapping's status word. The first time it takes one, which then says what is known. */
export function statusAddress(state: KernelState, mapping: Mapping): number {
  if (mapping.statusWord === NO_STATUS_WORD) {
    mapping.statusWord = mapping.component.statusWords.allocate()
    mapping.object.peers.addAttached(mapping)
    welcome(state, mapping.object)
    tell(state, mapping, mapping.object.peers.abandoned ? "peer-gone" : "live")
  }
  return KERNEL_PAGE + mapping.statusWord * STATUS_WORD_BYTES
}

/** After a peer has come: who was told that it is alone is told otherwise. */
export function welcome(state: KernelState, object: SharedObject): void {
  const { peers } = object
  if (!peers.abandoned || peers.count < 2) return
  peers.abandoned = false
  for (const mapping of peers.mappings()) tell(state, mapping, "live")
}

/** After a peer has died: who is now alone is told. */
export function bereave(state: KernelState, object: SharedObject): void {
  const { peers } = object
  if (peers.count > 1) {
    // What the dead one stored without waking anybody must not stay unseen: a wake-up, and nothing new to read.
    for (const mapping of peers.mappings()) rouse(state, mapping)
    return
  }
  peers.abandoned = true
  // The creator's mappings among these have no status word, or it would be a peer.
  for (const mapping of peers.mappings()) tell(state, mapping, "peer-gone")
}
