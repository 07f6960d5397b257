// child.ts: spawn, the parent's side: create suspended, wire, start.

import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import { ALL_RIGHTS, type Rights } from "../../kernel-daemon/abi/rights.ts"
import { NO_SLOT } from "../../kernel-daemon/abi/syscalls.ts"
import { ensureOptions } from "../../ring/errors.ts"
import type { Syscalls } from "./syscalls.ts"

/** A capability for the child: the parent's slot, or that with fewer rights. */
export type CapabilitySource = number | { readonly slot: number; readonly rights: Rights }

/** Option B of the plan. `arguments` (option A) usually holds the child's slot numbers. */
export interface SpawnConfig {
  /** A folder of src/components. */
  readonly componentName: string
  /** Pairs: the child's slot, and what the parent puts there. In place before the child runs. By default none. */
  readonly capabilities?: readonly (readonly [number, CapabilitySource])[]
  /** Whole numbers from 0 to 2^53 - 1. By default none. */
  readonly arguments?: readonly number[]
  /** 0 to 255, default 100. */
  readonly priority?: number
  /**
   * False lets it do what any process of the daemon's user may: for a debugger, or a library that needs more than the
   * confinement leaves. Takes process control with all rights; what it maps is from then on not proved to be revoked.
   */
  readonly confined?: boolean
  /** Slot of an inactive TCB, which retype has made, to make the component in; then also `Child.tcb`. Default: a new one. */
  readonly tcb?: number
  /** Slot of an unused VSpace, which retype has made, for the component. Default: a new one. */
  readonly vspace?: number
}

/** What a wait for a child ended with. */
export type ChildState =
  | { readonly kind: "reported"; readonly report: unknown }
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly detail: string }

const DEFAULT_PRIORITY = 100
const State = { reported: 0, exited: 1, killed: 2 } as const

/**
 * Spawns a component with its capabilities in place. It boots at once, and runs only after `start()`.
 * @throws {KernelError} FailedLookup: no such component, or a source slot is empty. IllegalOperation: rights exceed the
 * parent's. Nothing is then created.
 */
export function spawnWithCaps(syscalls: Syscalls, config: SpawnConfig): Child {
  ensureOptions(config, "componentName")
  const { pid, tcb, confined } = syscalls.call("process_create", {
    componentName: config.componentName,
    arguments: config.arguments ?? [],
    capabilities: triplesOf(config.capabilities ?? []),
    priority: config.priority ?? DEFAULT_PRIORITY,
    confined: Number(config.confined ?? true),
    tcb: config.tcb ?? NO_SLOT,
    vspace: config.vspace ?? NO_SLOT,
  })
  return new Child(syscalls, config.componentName, { pid, tcb, confined: confined === 1 })
}

function triplesOf(capabilities: NonNullable<SpawnConfig["capabilities"]>): number[] {
  if (!Array.isArray(capabilities)) throw wrongCapability("capabilities", capabilities, "an array of pairs")
  return capabilities.flatMap((pair, index) => {
    const name = `capabilities[${index}]`
    if (!Array.isArray(pair)) throw wrongCapability(name, pair, PAIR)
    const [childSlot, source] = pair as unknown as readonly [number, CapabilitySource | null | undefined]
    if (typeof source === "number") return [childSlot, source, ALL_RIGHTS]
    if (typeof source !== "object" || source === null) throw wrongCapability(`${name}'s source`, source, PAIR)
    return [childSlot, source.slot, source.rights]
  })
}

const PAIR = "a pair: the child's slot, and its source, a slot of one's own or { slot, rights }"

function wrongCapability(name: string, value: unknown, needed: string): KernelError {
  return new KernelError("InvalidArgument", `${name} is ${kindOf(value)}, which must be ${needed}`)
}

function kindOf(value: unknown): string {
  return value === undefined || value === null ? String(value) : `a ${typeof value}`
}

/** The child's pid. @throws {KernelError} InvalidArgument: it is no child */
export function pidOf(child: Child): number {
  if (child instanceof Child) return child.pid
  throw new KernelError("InvalidArgument", `child is ${kindOf(child)}: pass what spawnWithCaps returned`)
}

export class Child {
  readonly name: string
  readonly pid: number
  /** The parent's slot with the child's TCB capability. */
  readonly tcb: number
  /** False where its parent wanted that, or the daemon confines nobody: it may keep what it has mapped. */
  readonly confined: boolean
  readonly #syscalls: Syscalls

  constructor(
    syscalls: Syscalls,
    name: string,
    { pid, tcb, confined }: { readonly pid: number; readonly tcb: number; readonly confined: boolean },
  ) {
    this.#syscalls = syscalls
    this.name = name
    this.pid = pid
    this.tcb = tcb
    this.confined = confined
  }

  /** Makes it runnable. Once: a second time is refused with IllegalOperation. */
  start(): void {
    this.#syscalls.call("process_start", { tcb: this.tcb })
  }

  /** Blocks until the child has reported, or ended without a report. A report may be anything that JSON can say. */
  wait(): ChildState {
    const { state, status, report, detail } = this.#syscalls.call("process_wait", { tcb: this.tcb })
    if (state === State.exited) return { kind: "exited", code: status }
    if (state === State.killed) return { kind: "killed", detail }
    try {
      return { kind: "reported", report: JSON.parse(new TextDecoder().decode(report)) }
    } catch (cause) {
      throw new KernelError("InvalidArgument", `Report of ${this.name} is not JSON`, { cause })
    }
  }

  /** Ends it at once; its wait then answers "killed". */
  kill(): void {
    this.#syscalls.call("process_kill", { tcb: this.tcb })
  }
}
