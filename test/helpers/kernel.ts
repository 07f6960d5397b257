// kernel.ts: a kernel whose effects succeed at once, for tests of its decisions. The core is pure, so nothing is lost
// by that.

import { decodeHeader, decodeReply, encodeRequest } from "../../src/kernel-daemon/abi/codec.ts"
import { KernelError, type KernelErrorName } from "../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot, ROOT_UNTYPED_BITS } from "../../src/kernel-daemon/abi/limits.ts"
import { ALL_RIGHTS, Permission, type Rights } from "../../src/kernel-daemon/abi/rights.ts"
import { type Args, NO_SLOT, type Result, type SyscallName } from "../../src/kernel-daemon/abi/syscalls.ts"
import type {
  AcquireEffect,
  CommitEffect,
  ComponentId,
  Ending,
  HandleStatus,
  Invocation,
  MemoryId,
} from "../../src/kernel-daemon/invocation/effects.ts"
import { Kernel } from "../../src/kernel-daemon/invocation/kernel.ts"
import { KernelState, ROOT_TASK } from "../../src/kernel-daemon/invocation/state.ts"
import type { Untyped } from "../../src/kernel-daemon/objects/untyped.ts"

export const ROOT = ROOT_TASK
export const OWN_CNODE = ConventionSlot.ownCNode
export const ROOT_BYTES = 2 ** ROOT_UNTYPED_BITS

type OfKind<K extends CommitEffect["kind"]> = Extract<CommitEffect, { kind: K }>

/** A call whose effects are carried out when the test says so. */
export interface Suspended<N extends SyscallName> {
  readonly acquire: readonly AcquireEffect[]
  commit(): Result<N> | undefined
  refuse(error: KernelError): Result<N> | undefined
}

export class TestKernel {
  readonly state: KernelState
  readonly kernel: Kernel
  /** Memory that exists, in bytes. */
  readonly memories = new Map<MemoryId, number>()
  /** What is mapped: by component and address, what the last map effect said. */
  readonly pages = new Map<string, Extract<AcquireEffect, { kind: "map" }>>()
  /** Memory that Linux would let nobody map for writing. */
  readonly sealed = new Set<MemoryId>()
  /** What bells hang: by component, address and whose, the memory and the bell's name. */
  readonly bells = new Map<string, string>()
  /** What each status word says: by component and index. */
  readonly words = new Map<string, HandleStatus>()
  /** Every commit effect so far, in order, replies aside. */
  readonly effects: CommitEffect[] = []
  /** Answers to acquire effects; `undefined` grants. */
  refuse: (effect: AcquireEffect) => KernelError | undefined = () => undefined
  /** While true, `continue` effects are left to the test. */
  holdContinues = false
  /** While false, no prove-unmapped effect can look at the component. */
  proves = true
  readonly #replies = new Map<number, Uint8Array>()
  #lastCallId = 0

  constructor(state = new KernelState()) {
    this.state = state
    this.kernel = new Kernel(state)
    this.#run(this.kernel.boot("root-task", []))
  }

  /**
   * Makes a call and carries all its effects out.
   * @throws {KernelError} the refusal
   * @throws {Error} the call blocks
   */
  call<N extends SyscallName>(caller: ComponentId, name: N, args: Args<N>): Result<N> {
    const result = this.begin(caller, name, args)()
    if (result === undefined) throw new Error(`${name} blocks`)
    return result
  }

  /** Makes a call that may block. Returns a function that gives its result, `undefined` while there is none. */
  begin<N extends SyscallName>(caller: ComponentId, name: N, args: Args<N>): () => Result<N> | undefined {
    const { callId, invocation } = this.#decide(caller, name, args)
    this.#run(invocation)
    return () => this.#take(name, callId)
  }

  /** Decides a call and stops there. */
  suspend<N extends SyscallName>(caller: ComponentId, name: N, args: Args<N>): Suspended<N> {
    const { callId, invocation } = this.#decide(caller, name, args)
    // Effects reach a component in the order in which they were decided, as effects.ts demands of the broker.
    const undo = invocation.acquire.map(effect => this.#acquire(effect))
    return {
      acquire: invocation.acquire,
      commit: () => {
        this.#carryOut(invocation.commit(this.#proved(invocation)))
        return this.#take(name, callId)
      },
      refuse: error => {
        for (const undoOne of undo.reverse()) undoOne()
        this.#carryOut(invocation.refuse(error))
        return this.#take(name, callId)
      },
    }
  }

  /** A message as it comes from a component, whatever it is. Returns the reply, `undefined` while there is none. */
  receive(caller: ComponentId, message: Uint8Array): Uint8Array | undefined {
    this.#replies.clear()
    this.#run(this.kernel.invoke(caller, message))
    return [...this.#replies.values()][0]
  }

  /** "ok", or the name of the refusal. */
  outcome<N extends SyscallName>(caller: ComponentId, name: N, args: Args<N>): "ok" | KernelErrorName {
    try {
      this.call(caller, name, args)
      return "ok"
    } catch (error) {
      if (error instanceof KernelError) return error.code
      throw error
    }
  }

  /** Goes on with a removal in pieces. */
  resume(token: number): void {
    this.#run(this.kernel.continue(token))
  }

  end(component: ComponentId, ending: Ending = { kind: "exited", code: 0 }): void {
    for (const [key, map] of this.pages) if (map.component === component) this.pages.delete(key)
    for (const key of this.bells.keys()) if (key.startsWith(`${component}:`)) this.bells.delete(key)
    this.#carryOut(this.kernel.componentEnded(component, ending))
  }

  /**
   * Creates a component out of `parent` and starts it.
   * @param capabilities triples, as process_create takes them
   */
  spawn(
    parent: ComponentId = ROOT,
    capabilities: readonly number[] = [],
    { name = "child", confined = true }: { readonly name?: string; readonly confined?: boolean } = {},
  ): { pid: number; tcb: number } {
    const created = this.call(parent, "process_create", {
      componentName: name,
      arguments: [],
      capabilities,
      priority: 0,
      confined: Number(confined),
      tcb: NO_SLOT,
      vspace: NO_SLOT,
    })
    this.call(parent, "process_start", { tcb: created.tcb })
    return created
  }

  frame(caller: ComponentId = ROOT, bytes = 4096): number {
    return this.call(caller, "memory_allocate", { bytes }).slot
  }

  notification(caller: ComponentId = ROOT): number {
    return this.call(caller, "notification_create", {}).slot
  }

  map(caller: ComponentId, frame: number, permissions = 3, bytes = 4096): number {
    return this.call(caller, "memory_map", { frame, bytes, permissions }).address
  }

  delete(caller: ComponentId, slot: number): void {
    this.call(caller, "cap_delete", { cnode: OWN_CNODE, slot })
  }

  revoke(caller: ComponentId, slot: number): void {
    this.call(caller, "cap_revoke", { cnode: OWN_CNODE, slot })
  }

  derive(caller: ComponentId, source: number, target: number, rights = ALL_RIGHTS): void {
    this.call(caller, "cap_derive", { cnode: OWN_CNODE, source, target, rights })
  }

  occupied(component: ComponentId, slot: number): boolean {
    return this.state.components.get(component)?.cspace.slots[slot] !== undefined
  }

  rightsOf(component: ComponentId, slot: number): Rights | undefined {
    return this.state.components.get(component)?.cspace.slots[slot]?.rights
  }

  /** Bytes free in the root task's untyped. */
  get freeBytes(): number {
    const untyped = this.state.components.get(ROOT)?.cspace.lookup(ConventionSlot.untyped).object as Untyped
    return untyped.freeBytes
  }

  of<K extends CommitEffect["kind"]>(kind: K): OfKind<K>[] {
    return this.effects.filter((effect): effect is OfKind<K> => effect.kind === kind)
  }

  #decide<N extends SyscallName>(caller: ComponentId, name: N, args: Args<N>) {
    this.#lastCallId += 1
    const callId = this.#lastCallId
    return { callId, invocation: this.kernel.invoke(caller, encodeRequest(name, callId, args)) }
  }

  #run(invocation: Invocation): void {
    const undo: (() => void)[] = []
    for (const effect of invocation.acquire) {
      const error = this.refuse(effect)
      if (error !== undefined) {
        for (const undoOne of undo.reverse()) undoOne()
        this.#carryOut(invocation.refuse(error))
        return
      }
      undo.push(this.#acquire(effect))
    }
    this.#carryOut(invocation.commit(this.#proved(invocation)))
  }

  #proved({ acquire }: Invocation): boolean {
    return this.proves || !acquire.some(({ kind }) => kind === "prove-unmapped")
  }

  /** Carries an effect out. Returns what undoes it. */
  #acquire(effect: AcquireEffect): () => void {
    const nothing = () => {}
    switch (effect.kind) {
      case "create-memory":
        this.memories.set(effect.memory, effect.bytes)
        return () => this.memories.delete(effect.memory)
      case "prove-unmapped":
      case "clear-lane":
        return nothing
      case "hang-bell": {
        this.bells.set(bellKey(effect), `${effect.memory} ${effect.bell}`)
        return () => this.bells.delete(bellKey(effect))
      }
      case "take-bells":
        for (const whose of ["own", "peers"]) this.bells.delete(bellKey({ ...effect, whose }))
        return nothing
      case "seal-memory":
        this.sealed.add(effect.memory)
        return () => this.sealed.delete(effect.memory)
      case "copy-memory":
        for (const memory of [effect.from, effect.to]) {
          if (this.memories.get(memory) !== effect.bytes)
            throw new Error(`memory ${memory} is copied but does not exist`)
        }
        return nothing
      case "unmap":
        for (const [key, { component, address }] of this.pages) {
          const within = address >= effect.address && address < effect.address + effect.bytes
          if (component === effect.component && within) this.pages.delete(key)
        }
        for (const key of this.bells.keys()) {
          const [component, address] = key.split(":").map(Number) as [number, number]
          const within = address >= effect.address && address < effect.address + effect.bytes
          if (component === effect.component && within) this.bells.delete(key)
        }
        return nothing
      case "map-all": {
        const undo = effect.maps.map(map => this.#acquire(map))
        return () => {
          for (const undoOne of undo) undoOne()
        }
      }
      case "map": {
        if (!this.memories.has(effect.memory)) throw new Error(`memory ${effect.memory} is mapped but does not exist`)
        if (this.sealed.has(effect.memory) && (effect.permissions & Permission.write) !== 0) {
          throw new Error(`memory ${effect.memory} is mapped for writing but sealed`)
        }
        const page = `${effect.component}:${effect.address}`
        const before = this.pages.get(page)
        this.pages.set(page, effect)
        return () => {
          if (this.pages.get(page) !== effect) return
          if (before === undefined) this.pages.delete(page)
          else this.pages.set(page, before)
        }
      }
      case "spawn":
        return nothing
    }
  }

  #carryOut(effects: readonly CommitEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "reply") this.#replies.set(decodeHeader(effect.message).number, effect.message)
      else this.effects.push(effect)
      if (effect.kind === "publish-lane" || effect.kind === "move-mappings")
        for (const map of effect.maps) this.#acquire(map)
      if (effect.kind === "publish-lane") for (const bell of effect.bells) this.#acquire(bell)
      if (effect.kind === "set-status") this.words.set(`${effect.component}:${effect.index}`, effect.status)
      if (effect.kind === "destroy-memory" && !this.memories.delete(effect.memory)) {
        throw new Error(`memory ${effect.memory} is destroyed but does not exist`)
      }
      if (effect.kind === "continue" && !this.holdContinues) this.resume(effect.token)
    }
  }

  #take<N extends SyscallName>(name: N, callId: number): Result<N> | undefined {
    const message = this.#replies.get(callId)
    return message === undefined ? undefined : decodeReply(name, message).result
  }
}

function bellKey({ component, address, whose }: { component: ComponentId; address: number; whose: string }): string {
  return `${component}:${address}:${whose}`
}
