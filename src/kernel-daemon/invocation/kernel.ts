// kernel.ts: the kernel as the broker sees it: messages and events go in, effects come out. Pure and synchronous.

import { encodeRefusal } from "../abi/codec.ts"
import { KernelError } from "../abi/errors.ts"
import { ConventionSlot, ROOT_CNODE_SLOTS, ROOT_UNTYPED_BITS } from "../abi/limits.ts"
import type { ProfileName } from "../abi/profile.ts"
import { Permission } from "../abi/rights.ts"
import type { Result, SyscallName } from "../abi/syscalls.ts"
import { CNode } from "../objects/cnode.ts"
import { Component, type Ending } from "../objects/component.ts"
import { describeObject } from "../objects/kernel-object.ts"
import { ProcessControl } from "../objects/process-control.ts"
import { Untyped } from "../objects/untyped.ts"
import { VSpace } from "../objects/vspace.ts"
import { endComponent } from "./component-end.ts"
import { callIdOf, decodeCall } from "./decode.ts"
import { describeEnding } from "./describe-ending.ts"
import type { CommitEffect, ComponentId, Invocation, MemoryId } from "./effects.ts"
import { explain } from "./explain.ts"
import { place } from "./holding.ts"
import { BLOCKED, type Caller, type Outcome, Transaction } from "./outcome.ts"
import { perform } from "./perform.ts"
import { giveOwnObjects, original } from "./process.ts"
import { Removal } from "./removal.ts"
import { KernelState, type Piece } from "./state.ts"

/** How much of everything there is. */
export interface Holdings {
  readonly components: number
  readonly ended: number
  readonly capabilities: number
  readonly mappings: number
  readonly bytesTaken: number
}

export class Kernel {
  readonly #state: KernelState
  /** All memory that there is to make objects from. */
  readonly #untyped = new Untyped(undefined, 2 ** ROOT_UNTYPED_BITS)

  /** @param state what the kernel knows to begin with: nothing. A test passes its own, to look into it. */
  constructor(state: KernelState = new KernelState()) {
    this.#state = state
  }

  get profile(): ProfileName {
    return this.#state.profileName
  }

  /**
   * Creates component 1, the root task, with all rights to its own TCB, CNode and VSpace, to an untyped of
   * 2^ROOT_UNTYPED_BITS bytes and to process control, each in its convention slot. To be called first, once.
   * The commit starts it.
   *
   * @param name of the component that the broker is to spawn
   * @param args handed to it when it starts
   */
  boot(name: string, args: readonly number[]): Invocation {
    const state = this.#state
    const root = new Component(undefined)
    const id = state.newComponentId()
    const cspace = new CNode(undefined, id, ROOT_CNODE_SLOTS)
    const vspace = new VSpace(undefined)
    root.make({ id, name, arguments: args, confined: state.confines, cspace, vspace })
    state.components.set(root.id, root)
    giveOwnObjects(state, root, {})
    place(state, root.cspace, ConventionSlot.untyped, original(this.#untyped, undefined))
    place(state, root.cspace, ConventionSlot.processControl, original(new ProcessControl(), undefined))
    return {
      acquire: [{ kind: "spawn", component: root.id, name, priority: 0, confined: root.confined }],
      commit: () => {
        root.state = "running"
        return [{ kind: "start", component: root.id, arguments: args }]
      },
      refuse: () => this.componentEnded(root.id, { kind: "killed", signal: "SIGKILL", reason: "it did not boot" }),
    }
  }

  /**
   * Decides one call. Never throws: what is wrong with the message or the call is answered with a refusal.
   * A caller that has ended is not answered.
   *
   * @param message a request as codec.ts encodes it; not kept
   */
  invoke(caller: ComponentId, message: Uint8Array): Invocation {
    const state = this.#state
    const component = state.living(caller)
    if (component === undefined) return settled([])
    const callId = callIdOf(message)
    try {
      if (component.state !== "running") {
        throw new KernelError("IllegalOperation", `component ${caller} "${component.name}" has not been started`)
      }
      const call = decodeCall(message)
      return this.#invocation(call.name, { component, callId }, perform(state, { component, callId }, call))
    } catch (error) {
      return settled([refusal(caller, callId, error)])
    }
  }

  /** Goes on with what a `continue` effect asked for. A token is good for one call. */
  continue(token: number): Invocation {
    const piece = this.#state.takePiece(token)
    return piece === undefined ? settled([]) : this.#piece(piece)
  }

  /** Tells the kernel that a component's process has gone, however. Its authority, mappings and roles go with it. */
  componentEnded(id: ComponentId, ending: Ending): readonly CommitEffect[] {
    const component = this.#state.living(id)
    if (component === undefined) return []
    endComponent(this.#state, component, ending)
    return this.#state.drain()
  }

  /**
   * Name of a component that lives, or has ended and is remembered by a TCB capability; "component 7" for any other.
   */
  componentName(id: ComponentId): string {
    return this.#state.components.get(id)?.name ?? `component ${id}`
  }

  /** All components whose name is known. */
  components(): readonly { readonly id: ComponentId; readonly name: string; readonly state: Component["state"] }[] {
    return [...this.#state.components.values()].map(({ id, name, state }) => ({ id, name, state }))
  }

  /**
   * What stands in its tables. `ended` are components that only a TCB capability remembers, `capabilities` those in root
   * CNodes, `bytesTaken` what is missing in the untyped that the root task began with. Cost: linear in the components.
   */
  holdings(): Holdings {
    const components = [...this.#state.components.values()]
    const living = components.filter(({ state }) => state !== "ended")
    const sum = (of: (component: Component) => number): number => living.reduce((total, each) => total + of(each), 0)
    return {
      components: living.length,
      ended: components.length - living.length,
      capabilities: sum(({ cspace }) => cspace.occupied),
      mappings: sum(({ vspace }) => vspace.mappings.length),
      bytesTaken: this.#untyped.chargedBytes - this.#untyped.freeBytes,
    }
  }

  /** Whose process_wait is not answered yet, and for whom it waits. Cost: linear in the components. */
  processWaits(): readonly {
    readonly component: ComponentId
    readonly target: ComponentId
    readonly callId: number
  }[] {
    return [...this.#state.components.values()].flatMap(({ id: target, waits }) =>
      waits.map(({ component, callId }) => ({ component, target, callId })),
    )
  }

  /**
   * The object that a component has mapped at an address, and who else may write it; undefined where it has none mapped. Cost:
   * linear in the object's mappings.
   */
  wakersAt(
    id: ComponentId,
    address: number,
  ): { readonly object: string; readonly wakers: readonly ComponentId[] } | undefined {
    const object = this.#state.components.get(id)?.vspace.find(address)?.object
    if (object === undefined) return undefined
    return { object: describeObject(object), wakers: object.peers.writers().filter(writer => writer !== id) }
  }

  /** What an address is to a component, in words: "0x1010000 lies in frame 3, mapped r", "0x2000000 is not mapped". */
  explainAddress(id: ComponentId, address: number): string {
    const component = this.#state.components.get(id)
    return component === undefined ? `component ${id} is unknown` : explain(component.vspace, address)
  }

  /**
   * Bytes of a memory that a component may have in its page tables now, and may write there: what a removal has claimed no
   * longer counts. Cost: linear in the component's mappings.
   */
  memoryGrant(id: ComponentId, memory: MemoryId): { readonly mappedBytes: number; readonly writableBytes: number } {
    let mappedBytes = 0
    let writableBytes = 0
    for (const mapping of this.#state.components.get(id)?.vspace.mappings ?? []) {
      const stands = mapping.alive && !mapping.leaving
      if (!stands) continue
      for (const { memory: shown, bytes, permissions } of mapping.parts) {
        if (shown !== memory) continue
        mappedBytes += bytes
        if ((permissions & Permission.write) !== 0) writableBytes += bytes
      }
    }
    return { mappedBytes, writableBytes }
  }

  /** Descriptors of a memory's bells that a component may have now: two for each end of a ring. Cost: as memoryGrant. */
  bellsHeld(id: ComponentId, memory: MemoryId): number {
    let held = 0
    for (const mapping of this.#state.components.get(id)?.vspace.mappings ?? []) {
      const { object, alive, leaving } = mapping
      if (!alive || leaving) continue
      if (object.type === "Notification") held += object.bellsOf(mapping).filter(bell => bell.memory === memory).length
      else if (object.id === memory) held += 2 * object.ends.stayingThrough(mapping)
    }
    return held
  }

  /** An ending in words, to be asked before `componentEnded`: with what the kernel knows about a faulting address. */
  describeEnding(id: ComponentId, ending: Ending): string {
    const component = this.#state.components.get(id)
    return component === undefined ? `component ${id} is unknown` : describeEnding(component, ending)
  }

  #invocation(name: SyscallName, caller: Caller, outcome: Outcome<SyscallName>): Invocation {
    if (outcome instanceof Removal) return this.#piece(outcome)
    if (outcome instanceof Transaction) return this.#transaction(name, caller, outcome)
    if (outcome !== BLOCKED) this.#answer(name, caller, outcome)
    return settled(this.#state.drain())
  }

  #transaction(name: SyscallName, caller: Caller, transaction: Transaction<Result<SyscallName>>): Invocation {
    const state = this.#state
    const { id } = caller.component
    const decided = state.drain()
    const refuse = (error: unknown) => {
      const reply = refusal(id, caller.callId, error)
      const effects = [...decided, ...state.drain()]
      return state.living(id) === undefined ? effects : [...effects, reply]
    }
    return {
      acquire: transaction.acquire,
      commit: (proved = true) => {
        try {
          this.#answer(name, caller, transaction.commit(proved))
          return [...decided, ...state.drain()]
        } catch (error) {
          return refuse(error)
        }
      },
      refuse: error => {
        transaction.refuse()
        return refuse(error)
      },
    }
  }

  #piece(piece: Piece): Invocation {
    const state = this.#state
    const acquire = piece.collect()
    const commit = (proved = true) => {
      if (!piece.apply(proved)) state.emit({ kind: "continue", token: state.keepPiece(piece), worked: true })
      return state.drain()
    }
    // Unmaps are never refused. But whoever waited for them may be gone: then the piece is done again for nobody.
    const refuse = () => {
      state.emit({ kind: "continue", token: state.keepPiece(piece), worked: false })
      return state.drain()
    }
    return { acquire, commit, refuse }
  }

  #answer(name: SyscallName, caller: Caller, result: Result<SyscallName>): void {
    this.#state.answer(name, caller.component.id, caller.callId, result)
  }
}

function settled(effects: readonly CommitEffect[]): Invocation {
  return { acquire: [], commit: () => effects, refuse: () => effects }
}

function refusal(component: ComponentId, callId: number, error: unknown): CommitEffect {
  if (!(error instanceof KernelError)) throw error
  return { kind: "reply", component, callId, message: encodeRefusal(callId, error) }
}
