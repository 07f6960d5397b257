// broker.ts: carries out what the kernel decides. The one place where effects meet the operating system.

import { KernelError } from "../abi/errors.ts"
import { REVOKE_DEADLINE_MS } from "../abi/limits.ts"
import type { AcquireEffect, CommitEffect, ComponentId, Ending, Invocation, MemoryId } from "../invocation/effects.ts"
import type { Kernel } from "../invocation/kernel.ts"
import { ComponentProcess } from "./component-process.ts"
import { MemoryTable } from "./memory-table.ts"
import type { ComponentFolder } from "./programs.ts"
import { describeTraces, tracesOf } from "./memory-traces.ts"
import { StatusPages } from "./status-pages.ts"

/** What the daemon tells whoever started it. */
export interface BrokerEvents {
  readonly onSpawned: (component: ComponentId, name: string, osPid: number) => void
  readonly onPrint: (component: ComponentId, name: string, text: string) => void
  readonly onReport: (report: Uint8Array) => void
  readonly onEnded: (component: ComponentId, name: string, ending: Ending) => void
  /** The root task could not be booted; `onShutdown` follows. */
  readonly onRefused: (error: KernelError) => void
  /** After the last component is reaped. */
  readonly onShutdown: (ok: boolean) => void
}

/** Between two looks at a component that has not let go yet. */
const PROVE_INTERVAL_MS = 1

/** An invocation between its decision and its commit. Ends exactly once. */
interface Running {
  readonly caller: ComponentId | undefined
  readonly invocation: Invocation
  /** How many of `acquire` have succeeded; the next one is under way. */
  acquired: number
  ended: boolean
}

export class Broker {
  readonly #kernel: Kernel
  readonly #folder: ComponentFolder
  readonly #events: BrokerEvents
  readonly #memories = new MemoryTable()
  readonly #statusPages: StatusPages
  readonly #processes = new Map<ComponentId, ComponentProcess>()
  readonly #running = new Set<Running>()
  #shutdown: { ok: boolean } | undefined

  constructor(kernel: Kernel, folder: ComponentFolder, ringWasm: Uint8Array, events: BrokerEvents) {
    this.#kernel = kernel
    this.#folder = folder
    this.#events = events
    this.#statusPages = new StatusPages(ringWasm)
  }

  /** Spawns and starts the root task; `onRefused` says why it could not be. */
  boot(name: string, args: readonly number[]): void {
    const invocation = this.#kernel.boot(name, args)
    const refuse = (error: KernelError): readonly CommitEffect[] => {
      this.#events.onRefused(error)
      return invocation.refuse(error)
    }
    this.#run({ ...invocation, refuse }, undefined)
  }

  /** Kills every component; `onShutdown` follows when all are reaped. */
  shutdown(ok: boolean, reason: string): void {
    this.#shutdown ??= { ok }
    for (const process of this.#processes.values()) process.kill(reason)
    this.#finishShutdown()
  }

  #run(invocation: Invocation, caller: ComponentId | undefined): void {
    const running: Running = { caller, invocation, acquired: 0, ended: false }
    this.#running.add(running)
    this.#acquireNext(running)
  }

  #acquireNext(running: Running): void {
    const effect = running.invocation.acquire[running.acquired]
    if (effect === undefined) {
      this.#end(running)
      this.#carryOut(running.invocation.commit())
      return
    }
    this.#acquire(effect, refused => {
      if (running.ended) {
        // Given up meanwhile; what arrived too late is undone as well.
        if (refused === undefined) this.#undo(effect)
      } else if (refused === undefined) {
        running.acquired++
        this.#acquireNext(running)
      } else this.#giveUp(running, refusal(effect, refused))
    })
  }

  /** Undoes what was acquired, last first, and tells the kernel. */
  #giveUp(running: Running, error: KernelError): void {
    this.#end(running)
    for (const effect of running.invocation.acquire.slice(0, running.acquired).reverse()) this.#undo(effect)
    this.#carryOut(running.invocation.refuse(error))
  }

  #end(running: Running): void {
    running.ended = true
    this.#running.delete(running)
  }

  #acquire(effect: AcquireEffect, done: (refused?: Error) => void): void {
    try {
      switch (effect.kind) {
        case "create-memory":
          this.#memories.create(effect.memory, effect.bytes, effect.label)
          return done()
        case "spawn":
          this.#spawn(effect.component, effect.name)
          return done()
        case "map": {
          const { address, bytes, permissions } = effect
          const memory = this.#memories.fdFor(effect.memory, permissions)
          return this.#process(effect.component).changeMapping(address, bytes, permissions, memory, done)
        }
        case "prove-unmapped":
          return this.#prove(effect.component, effect.memory, done)
        case "unmap":
          // A component that has ended has no mappings left, so this cannot be refused.
          if (!this.#processes.has(effect.component)) return done()
          return this.#process(effect.component).changeMapping(effect.address, effect.bytes, 0, -1, () => done())
      }
    } catch (error) {
      done(error as Error)
    }
  }

  /** Done when the component shows no more of the memory than the kernel grants it, or is no more. */
  #prove(component: ComponentId, memory: MemoryId, done: () => void): void {
    const identity = this.#memories.identity(memory)
    const deadline = performance.now() + REVOKE_DEADLINE_MS
    const look = (): void => {
      const process = this.#processes.get(component)
      if (process === undefined) return done()
      const traces = tracesOf(process.pid, identity)
      if (traces.mappedBytes <= this.#kernel.mappedBytes(component, memory) && traces.descriptors === 0) return done()
      if (performance.now() >= deadline) process.kill(`it keeps memory ${memory} that was revoked: ${describeTraces(traces)}`)
      setTimeout(look, PROVE_INTERVAL_MS)
    }
    look()
  }

  #undo(effect: AcquireEffect): void {
    switch (effect.kind) {
      case "create-memory":
        return this.#memories.destroy(effect.memory)
      case "spawn":
        return this.#processes.get(effect.component)?.kill("its creation was refused")
      case "map":
        return this.#acquire({ ...effect, kind: "unmap" }, () => {})
      case "unmap":
      case "prove-unmapped":
        return // Only ever the way to a commit that cannot fail.
    }
  }

  #carryOut(effects: readonly CommitEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case "destroy-memory":
          this.#memories.destroy(effect.memory)
          break
        case "unmap":
          this.#acquire(effect, () => {})
          break
        case "start":
          this.#processes.get(effect.component)?.start(effect.component, effect.arguments)
          break
        case "kill":
          this.#processes.get(effect.component)?.kill(effect.reason)
          break
        case "print":
          this.#events.onPrint(effect.component, this.#kernel.componentName(effect.component) ?? "?", effect.text)
          break
        case "report":
          this.#events.onReport(effect.report)
          break
        case "set-status":
          this.#processes.get(effect.component)?.setStatus(effect.index, effect.status)
          break
        case "reply":
          this.#processes.get(effect.component)?.reply(effect.message)
          break
        case "continue":
          setImmediate(() => this.#run(this.#kernel.continue(effect.token), undefined))
          break
        case "shutdown":
          this.shutdown(effect.ok, "the system shuts down")
          break
      }
    }
  }

  #spawn(component: ComponentId, name: string): void {
    const process = ComponentProcess.spawn(name, this.#folder.pathOf(name), this.#statusPages, {
      onMessage: message => this.#run(this.#kernel.invoke(component, message), component),
      onPrint: line => this.#events.onPrint(component, name, line),
      onEnded: ending => this.#onEnded(component, name, ending),
    })
    this.#processes.set(component, process)
    this.#events.onSpawned(component, name, process.pid)
  }

  #process(component: ComponentId): ComponentProcess {
    const process = this.#processes.get(component)
    if (process === undefined) throw new KernelError("PeerGone", `Component ${component} has ended`)
    return process
  }

  #onEnded(component: ComponentId, name: string, ending: Ending): void {
    this.#processes.delete(component)
    for (const running of [...this.#running]) {
      if (running.caller === component)
        this.#giveUp(running, new KernelError("Cancelled", `Component ${component} ended`))
    }
    this.#events.onEnded(component, name, ending)
    this.#carryOut(this.#kernel.componentEnded(component, ending))
    this.#finishShutdown()
  }

  #finishShutdown(): void {
    if (this.#shutdown !== undefined && this.#processes.size === 0) this.#events.onShutdown(this.#shutdown.ok)
  }
}

/** What Linux refused, as the caller of the syscall should read it. */
function refusal(effect: AcquireEffect, error: Error): KernelError {
  if (error instanceof KernelError) return error
  const what = { "create-memory": "allocate memory", map: "map", unmap: "unmap", "prove-unmapped": "prove", spawn: "spawn" }[effect.kind]
  return new KernelError("NotEnoughMemory", `Cannot ${what}: ${error.message}`, { cause: error })
}
