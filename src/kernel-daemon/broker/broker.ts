// broker.ts: carries out what the kernel decides. The one place where effects meet the operating system.

import { type Fd, MapperCommand } from "../../../native/index.ts"
import { KernelError } from "../abi/errors.ts"
import { Permission } from "../abi/rights.ts"
import type {
  AcquireEffect,
  CommitEffect,
  ComponentId,
  Ending,
  HangBellEffect,
  Invocation,
  MapEffect,
  MemoryId,
  UnmapEffect,
} from "../invocation/effects.ts"
import type { Kernel } from "../invocation/kernel.ts"
import { afterOthers } from "./after-others.ts"
import { allDone } from "./all-done.ts"
import { BellTable } from "./bell-table.ts"
import type { BrokerEvents } from "./broker-events.ts"
import { ComponentProcess } from "./component-process.ts"
import { DaemonPages } from "./daemon-pages.ts"
import { nextOf } from "./effect-order.ts"
import type { Launch } from "./launch.ts"
import { MemoryTable } from "./memory-table.ts"
import { NotificationPages } from "./notification-pages.ts"
import type { ComponentFolder } from "./programs.ts"
import { refusal, refusalOf } from "./refusal.ts"
import { StatusPages } from "./status-pages.ts"
import { proveUnmapped, type Sights } from "./unmap-proof.ts"

const READ = Permission.read
const READ_WRITE = Permission.read | Permission.write

/** An invocation between its decision and its commit. Ends exactly once. */
interface Running {
  readonly caller: ComponentId | undefined
  readonly invocation: Invocation
  /** How many of `acquire` have succeeded; the next one is under way. */
  acquired: number
  /** No prove-unmapped effect has had to give up so far. */
  proved: boolean
  ended: boolean
}

export class Broker {
  /** For whoever looks at the components. */
  readonly sights: Sights
  readonly #kernel: Kernel
  readonly #folder: ComponentFolder
  readonly #launch: Launch
  readonly #events: BrokerEvents
  readonly #memories = new MemoryTable()
  readonly #bells = new BellTable()
  readonly #statusPages: StatusPages
  readonly #notificationPages: NotificationPages
  readonly #processes = new Map<ComponentId, ComponentProcess>()
  /** Whose output has not come to its end. */
  readonly #speaking = new Set<ComponentId>()
  readonly #running = new Set<Running>()
  #shutdown: { ok: boolean } | undefined

  constructor(kernel: Kernel, folder: ComponentFolder, launch: Launch, ringWasm: Uint8Array, events: BrokerEvents) {
    this.#kernel = kernel
    this.#folder = folder
    this.#launch = launch
    this.#events = events
    this.sights = { kernel, memories: this.#memories, bells: this.#bells, processes: this.#processes }
    const daemonPages = new DaemonPages(ringWasm)
    this.#statusPages = new StatusPages(daemonPages)
    this.#notificationPages = new NotificationPages(daemonPages)
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

  /** Takes nothing more from a component that prints faster than its lines can be passed on. */
  hold(component: ComponentId): void {
    this.#processes.get(component)?.hold()
  }

  /** Goes on with all that were held. */
  releaseAll(): void {
    for (const process of this.#processes.values()) process.release()
  }

  /** Kills every component; `onShutdown` follows when all are reaped. */
  shutdown(ok: boolean, reason: string): void {
    this.#shutdown ??= { ok }
    for (const process of this.#processes.values()) process.kill(reason)
    this.#finishShutdown()
  }

  #run(invocation: Invocation, caller: ComponentId | undefined): void {
    const running: Running = { caller, invocation, acquired: 0, proved: true, ended: false }
    this.#running.add(running)
    this.#acquireNext(running)
  }

  #acquireNext(running: Running): void {
    const effects = nextOf(running.invocation.acquire, running.acquired)
    let left = effects.length
    if (left === 0) {
      this.#end(running)
      this.#carryOut(running.invocation.commit(running.proved))
      return
    }
    for (const effect of effects) {
      this.#acquire(effect, (refused, proved = true) => {
        if (running.ended) return // Given up meanwhile, and undone then.
        if (refused !== undefined) return this.#giveUp(running, refusal(effect, refused))
        running.proved &&= proved
        left -= 1
        if (left > 0) return
        running.acquired += effects.length
        this.#acquireNext(running)
      })
    }
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

  /** `done` is called once, perhaps at once, and never within a `try` of ours: what it throws is the kernel's own fault. */
  #acquire(effect: AcquireEffect, done: (refused?: Error, proved?: boolean) => void): void {
    switch (effect.kind) {
      case "create-memory":
        return this.#createMemory(effect, done)
      case "spawn":
        return done(refusalOf(() => this.#spawn(effect)))
      case "map":
        return this.#map(effect, done)
      case "map-all":
        return this.#mapAll(effect.maps, done)
      case "clear-lane":
        return done(refusalOf(() => this.#clearLane(effect)))
      case "seal-memory":
        return done(refusalOf(() => this.#memories.seal(effect.memory)))
      case "copy-memory":
        return this.#memories.copy(effect.from, effect.to, effect.bytes, done)
      case "unmap":
        return this.#unmap(effect, done)
      case "hang-bell":
        return this.#hangBell(effect, done)
      case "take-bells":
        return this.#takeAway(effect.component, effect.address, 1, MapperCommand.takeBells, done)
      case "prove-unmapped":
        return proveUnmapped(this.sights, effect, proved => done(undefined, proved))
    }
  }

  #createMemory(
    { memory, bytes, label, kernelWrites, forReaders }: Extract<AcquireEffect, { kind: "create-memory" }>,
    done: (refused?: Error) => void,
  ): void {
    this.#memories.create(memory, { bytes, label, forReaders }, refused => {
      if (refused !== undefined || !kernelWrites) return done(refused)
      const unwritable = refusalOf(() =>
        this.#notificationPages.create(memory, this.#memories.fdFor(memory, READ_WRITE)),
      )
      if (unwritable !== undefined) this.#memories.destroy(memory)
      done(unwritable)
    })
  }

  #destroyMemory(memory: MemoryId): void {
    this.#notificationPages.destroy(memory)
    this.#memories.destroy(memory)
  }

  #map({ component, memory, address, bytes, permissions }: MapEffect, done: (refused?: Error) => void): void {
    const process = this.#processes.get(component)
    if (process === undefined) return done(new KernelError("PeerGone", `Component ${component} has ended`))
    let fd: Fd = -1
    const refused = refusalOf(() => {
      fd = this.#memories.fdFor(memory, permissions)
    })
    return refused === undefined ? process.changeMapping(address, bytes, permissions, fd, done) : done(refused)
  }

  /** Sends them all before it returns. What was mapped beside one that is refused is unmapped again. */
  #mapAll(maps: readonly MapEffect[], done: (refused?: Error) => void): void {
    let refused: Error | undefined
    let left = maps.length
    for (const map of maps) {
      this.#map(map, error => {
        refused ??= error
        left -= 1
        if (left > 0) return
        if (refused !== undefined) for (const each of maps) this.#unmap({ ...each, kind: "unmap" }, () => {})
        done(refused)
      })
    }
  }

  #clearLane({ page, index, lane, ack }: Extract<AcquireEffect, { kind: "clear-lane" }>): void {
    this.#notificationPages.clear(page, index, this.#memories.fdFor(lane, READ), this.#memories.fdFor(ack, READ))
  }

  /** Calls back when whoever waits can see the lane, and be woken by it: before that its signaller must not go on, or a poll misses its signal. */
  #publishLane(
    { page, index, badge, maps, bells }: Extract<CommitEffect, { kind: "publish-lane" }>,
    published: () => void,
  ): void {
    const publish = (): void => {
      this.#notificationPages.publish(page, index, badge)
      this.#bells.ring(page, "waiter")
      published()
    }
    this.#mapDecided(maps, () => this.#hangDecided(bells, publish))
  }

  /** As #mapDecided, for bells. */
  #hangDecided(bells: readonly HangBellEffect[], done: () => void): void {
    const begin = (bell: HangBellEffect, over: () => void): void =>
      this.#hangBell(bell, refused => {
        if (refused !== undefined) this.#processes.get(bell.component)?.kill(`it took no bell: ${refused.message}`)
        over()
      })
    allDone(bells, begin, done)
  }

  /** Calls back when all have mapped what the kernel has committed. Who does not is killed. */
  #mapDecided(maps: readonly MapEffect[], done: () => void): void {
    const begin = (map: MapEffect, over: () => void): void =>
      this.#map(map, refused => {
        if (refused !== undefined) {
          this.#processes.get(map.component)?.kill(`it did not map what it shares with others: ${refused.message}`)
        }
        over()
      })
    allDone(maps, begin, done)
  }

  /** Calls back when nobody who was given the new memory shows the old one any more. */
  #moveMappings({ from, maps }: Extract<CommitEffect, { kind: "move-mappings" }>, moved: () => void): void {
    const prove = (component: ComponentId, over: () => void): void =>
      proveUnmapped(this.sights, { component, memory: from, bellsOf: from }, over)
    this.#mapDecided(maps, () => allDone([...new Set(maps.map(({ component }) => component))], prove, moved))
  }

  #unmap({ component, address, bytes }: UnmapEffect, done: () => void): void {
    this.#takeAway(component, address, bytes, 0, done)
  }

  /** Cannot be refused: a component that has ended has nothing left, and one that does not let go is ended. */
  #takeAway(component: ComponentId, address: number, bytes: number, command: number, done: () => void): void {
    const process = this.#processes.get(component)
    if (process === undefined) return done()
    process.changeMapping(address, bytes, command, -1, refused => {
      if (refused !== undefined) process.kill(`it did not let go: ${refused.message}`)
      done()
    })
  }

  #hangBell({ component, address, memory, bell, whose }: HangBellEffect, done: (refused?: Error) => void): void {
    const process = this.#processes.get(component)
    if (process === undefined) return done(new KernelError("PeerGone", `Component ${component} has ended`))
    let fd: Fd = -1
    const refused = refusalOf(() => {
      fd = this.#bells.fdFor(memory, bell)
    })
    if (refused !== undefined) return done(refused)
    const command = whose === "own" ? MapperCommand.hangOwnBell : MapperCommand.hangPeersBell
    process.changeMapping(address, 1, command, fd, done)
  }

  #undo(effect: AcquireEffect): void {
    switch (effect.kind) {
      case "create-memory":
        return this.#destroyMemory(effect.memory)
      case "spawn":
        return this.#processes.get(effect.component)?.kill("its creation was refused")
      case "map":
        return this.#unmap({ ...effect, kind: "unmap" }, () => {})
      case "map-all":
        for (const map of effect.maps) this.#unmap({ ...map, kind: "unmap" }, () => {})
        return
      case "hang-bell":
        return this.#takeAway(effect.component, effect.address, 1, MapperCommand.takeBells, () => {})
      case "clear-lane":
        return // A lane without a badge harms nobody: whoever gets it next has it written anew.
      case "seal-memory":
        return // Final. Only its caller's end can bring this about; the kernel then refuses less than Linux does.
      case "copy-memory":
        return // The copy goes with its memory.
      case "unmap":
      case "take-bells":
      case "prove-unmapped":
        return // Only ever the way to a commit that cannot fail.
    }
  }

  #carryOut(effects: readonly CommitEffect[]): void {
    for (const [position, effect] of effects.entries()) {
      switch (effect.kind) {
        case "destroy-memory":
          this.#destroyMemory(effect.memory)
          break
        case "publish-lane":
          return this.#publishLane(effect, () => this.#carryOut(effects.slice(position + 1)))
        case "move-mappings":
          return this.#moveMappings(effect, () => this.#carryOut(effects.slice(position + 1)))
        case "start":
          this.#processes.get(effect.component)?.start({
            pid: effect.component,
            arguments: effect.arguments,
            profile: this.#kernel.profile,
            seals: this.#launch.seals,
          })
          break
        case "kill":
          this.#processes.get(effect.component)?.kill(effect.reason)
          break
        case "print":
          this.#events.onPrint(effect.component, this.#kernel.componentName(effect.component), effect.text.split("\n"))
          break
        case "report":
          this.#events.onReport(effect.report)
          break
        case "set-status":
          this.#processes.get(effect.component)?.setStatus(effect.index, effect.status)
          break
        case "destroy-bells":
          this.#bells.destroy(effect.memory)
          break
        case "ring-bell":
          this.#bells.ring(effect.memory, effect.bell)
          break
        case "reply":
          this.#processes.get(effect.component)?.reply(effect.message)
          break
        case "continue":
          afterOthers(effect.worked, () => this.#run(this.#kernel.continue(effect.token), undefined))
          break
        case "shutdown":
          this.shutdown(effect.ok, "the root task has ended, and the system with it")
          break
      }
    }
  }

  #spawn({ component, name, confined }: Extract<AcquireEffect, { kind: "spawn" }>): void {
    if (this.#shutdown !== undefined)
      throw new KernelError("Cancelled", `Cannot spawn "${name}": the system shuts down`)
    const way = confined ? this.#launch.confinement : "none"
    const process = ComponentProcess.spawn(name, this.#folder.pathOf(name), this.#launch, way, this.#statusPages, {
      onMessage: message => {
        this.#events.onCall(component, message)
        this.#run(this.#kernel.invoke(component, message), component)
      },
      onPrint: lines => this.#events.onPrint(component, name, lines),
      onEnded: ending => this.#onEnded(component, name, ending),
      onSilent: () => {
        this.#speaking.delete(component)
        this.#finishShutdown()
      },
    })
    this.#processes.set(component, process)
    this.#speaking.add(component)
    this.#events.onSpawned(component, name, process.pid, confined)
  }

  #onEnded(component: ComponentId, name: string, ending: Ending): void {
    this.#processes.delete(component)
    for (const running of [...this.#running]) {
      if (running.caller !== component) continue
      // The effect under way counts as acquired: its undoing follows it on the same socket, before anything that the kernel
      // may want in the same place.
      running.acquired++
      this.#giveUp(running, new KernelError("Cancelled", `Component ${component} ended`))
    }
    this.#events.onEnded(component, name, ending)
    this.#carryOut(this.#kernel.componentEnded(component, ending))
    this.#finishShutdown()
  }

  /** When all have ended, and what they said last has been passed on. */
  #finishShutdown(): void {
    if (this.#shutdown === undefined || this.#processes.size > 0 || this.#speaking.size > 0) return
    this.#events.onShutdown(this.#shutdown.ok)
  }
}
