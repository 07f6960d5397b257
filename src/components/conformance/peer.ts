// peer.ts: another component, which does what a case tells it: a syscall, a look at memory, a signal.

import { type Answer, type Command, HelperSlot, HelperTask } from "../../protocols/conformance.ts"
import { type Args, type Child, PAGE_BYTES, type SpawnConfig, type SyscallName } from "../runtime/index.ts"
import { type Kit, READ_WRITE } from "./kit.ts"

type Objects = Pick<SpawnConfig, "tcb" | "vspace">

export class Peer {
  readonly child: Child
  readonly #kit: Kit
  readonly #frame: number
  readonly #address: number
  readonly #go: number

  /**
   * @param gifts what it finds in its slots, beside what commands take
   * @param objects what it is made in
   */
  constructor(kit: Kit, gifts: NonNullable<SpawnConfig["capabilities"]> = [], objects: Objects = {}) {
    this.#kit = kit
    this.#frame = kit.frame()
    this.#address = kit.map(this.#frame)
    this.#go = kit.notification()
    this.child = startHelper(kit, HelperTask.obey, this.#frame, [], [[HelperSlot.go, this.#go], ...gifts], objects)
  }

  /** A syscall of the peer: "ok", or the name of the refusal. */
  outcome<N extends SyscallName>(name: N, args: Args<N>): string {
    return this.#tell({ do: "call", name, args }).outcome
  }

  /** A syscall of the peer that must succeed. Numbers in its result come back as they are. */
  call<N extends SyscallName>(name: N, args: Args<N>): Readonly<Record<string, number>> {
    const { outcome, value } = this.#tell({ do: "call", name, args })
    this.#kit.equal(`${name} by the peer`, outcome, "ok")
    return value as Readonly<Record<string, number>>
  }

  /** A word of the peer's memory, or "PageFault". */
  load(address: number): unknown {
    const { outcome, value } = this.#tell({ do: "load", address })
    return value ?? outcome
  }

  store(address: number, value: number): string {
    return this.#tell({ do: "store", address, value }).outcome
  }

  signal(slot: number, bits: bigint): string {
    return this.#tell({ do: "signal", slot, bits: String(bits) }).outcome
  }

  /** The bits that the peer takes from a notification, or the name of the refusal. */
  poll(slot: number): bigint | string {
    const { outcome, value } = this.#tell({ do: "poll", slot })
    return value === undefined ? outcome : BigInt(value as string)
  }

  /** Lets it exit, and gives back all that it took. */
  end(): void {
    this.#send({ do: "leave" })
    endHelper(this.#kit, this.child)
    this.#kit.delete(this.#frame, this.#go)
  }

  /** Kills it. Returns how it ended, and gives back all that it took. */
  kill(): string {
    this.child.kill()
    const end = this.child.wait().kind
    this.#kit.equal("end, asked again", this.child.wait().kind, end)
    this.#kit.equal("kill of who has ended", this.#kit.outcome("process_kill", { tcb: this.child.tcb }), "ok")
    this.#kit.refused("start of who has ended", "FailedLookup", "process_start", { tcb: this.child.tcb })
    this.#kit.delete(this.child.tcb, this.#frame, this.#go)
    return end
  }

  #tell(command: Command): Answer {
    this.#send(command)
    const state = this.child.wait()
    if (state.kind !== "reported") throw new Error(`The peer ended at ${JSON.stringify(command)}: ${state.kind}`)
    return state.report as Answer
  }

  #send(command: Command): void {
    const { vspace } = this.#kit.self
    const bytes = new TextEncoder().encode(JSON.stringify(command))
    vspace.u8.set(bytes, this.#address + 4)
    vspace.storeWord(this.#address, bytes.length)
    this.#kit.self.notification(this.#go).signal(1n)
  }
}

/** A running helper that has the frame mapped for reading and writing. `rest`: its arguments after the task. */
export function startHelper(
  kit: Kit,
  task: number,
  frame: number,
  rest: readonly number[],
  capabilities: NonNullable<SpawnConfig["capabilities"]>,
  objects: Objects = {},
): Child {
  const child = kit.self.spawnWithCaps({
    componentName: "conformance-helper",
    capabilities: [[HelperSlot.frame, frame], ...capabilities],
    arguments: [task, ...rest],
    ...objects,
  })
  kit.call("memory_map_into", { frame, bytes: PAGE_BYTES, permissions: READ_WRITE, pid: child.pid })
  child.start()
  return child
}

/** Waits until a helper that is about to exit has gone, and gives its slot back. Returns its last report. */
export function endHelper(kit: Kit, child: Child): unknown {
  let report: unknown
  for (;;) {
    const state = child.wait()
    if (state.kind === "killed") throw new Error(`${child.name} was ${state.detail}`)
    if (state.kind === "exited") {
      kit.equal(`exit code of ${child.name}`, state.code, 0)
      kit.delete(child.tcb)
      return report
    }
    report = state.report
  }
}
