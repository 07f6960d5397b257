// component-end.ts: what becomes of a component's authority, mappings and peers when its process has gone.

import type { Component, Ending } from "../objects/component.ts"
import type { SharedObject } from "../objects/kernel-object.ts"
import { describeEnding } from "./describe-ending.ts"
import { dropReference } from "./holding.ts"
import { detach } from "./mappings.ts"
import { bereave } from "./peer-status.ts"
import { answerWaits } from "./process-wait.ts"
import { Removal, removeUnattended } from "./removal.ts"
import { type KernelState, ROOT_TASK } from "./state.ts"

/**
 * Records the end, answers who waits for it, empties the CSpace, and tells peers that are left alone. The record itself
 * stays as long as somebody holds a TCB capability. The end of the root task ends everything.
 * @param done called once, when the CSpace is empty and its memory given back
 */
export function endComponent(
  state: KernelState,
  component: Component,
  ending: Ending,
  done: () => void = () => {},
): void {
  const { id } = component
  component.state = "ended"
  component.ending = ending
  // Now, as long as the mapping that a fault met is known.
  component.endingText = describeEnding(component, ending)
  answerWaits(state, component)

  const shared = new Set<SharedObject>()
  const note = (object: SharedObject) => {
    if (object.peers.has(id)) shared.add(object)
  }
  for (const mapping of [...component.vspace.mappings]) {
    note(mapping.object)
    detach(mapping)
  }
  const finished = () => {
    for (const held of [component.cspace, component.vspace, component]) dropReference(state, held, [])
    for (const object of shared) if (object.references > 0) bereave(state, object)
    done()
  }
  removeUnattended(state, new Removal(state, { contentsOf: [component.cspace], removing: note, finished }))

  if (id === ROOT_TASK) shutDown(state, ending.kind === "exited" && ending.code === 0)
}

/** Kills every component but the root task and brings the system down, once. */
export function shutDown(state: KernelState, ok: boolean): void {
  if (state.shuttingDown) return
  state.shuttingDown = true
  for (const { id, state: life } of state.components.values()) {
    if (id !== ROOT_TASK && life !== "ended")
      state.emit({
        kind: "kill",
        component: id,
        reason: "the root task has ended, and the system with it; let it wait() for those that shall finish",
      })
  }
  state.emit({ kind: "shutdown", ok })
}
