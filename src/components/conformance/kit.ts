// kit.ts: what every case is given: syscalls with their outcome, objects in slots of their own, and looks at both.

import type { Seen } from "../../protocols/conformance.ts"
import {
  ALL_RIGHTS,
  type Args,
  type Component,
  ConventionSlot,
  encodeRequest,
  KernelError,
  NO_SLOT as NONE,
  ObjectType,
  PAGE_BYTES,
  PageFault,
  Permission,
  RAW_REFUSED,
  type Result,
  Right,
  type SwitchName,
  type SyscallName,
} from "../runtime/index.ts"

/** One case. `run` throws where what it shows does not hold. */
export interface Case {
  /** A sentence: what the case shows to hold. */
  readonly shows: string
  run(kit: Kit): void
}

/** One case that is several, one after the other. */
export function both(...cases: readonly Case[]): Case {
  return {
    shows: cases.map(({ shows }) => shows).join("; "),
    run: kit => {
      for (const each of cases) each.run(kit)
    },
  }
}

export const READ_WRITE = Permission.read | Permission.write
/** Every set of rights. */
export const ALL_MASKS = Array.from({ length: ALL_RIGHTS + 1 }, (_, mask) => mask)
/** A slot of the root CNode that nothing is ever put into. */
export const EMPTY_SLOT = 99
/** A slot that the root CNode does not have. */
export const NO_SLOT = 256

/** process_create makes a TCB and a VSpace of its own. */
export const NEW_OBJECTS = { tcb: NONE as number, vspace: NONE as number }

const SCRATCH_SLOT = 98
/** Slots are not used twice in a case, so that no handle to an old object meets a new one. */
const FIRST_CASE_SLOT = 30
const RAW_CALL_ID = 1
const PAGE_BITS = Math.log2(PAGE_BYTES)

export class Kit {
  readonly self: Component
  readonly own: number
  /** What was seen where the profiles differ. */
  readonly seen: Seen[] = []
  #nextSlot = FIRST_CASE_SLOT

  constructor(self: Component) {
    this.self = self
    this.own = self.ownCNode
  }

  /** A syscall that must succeed. */
  call<N extends SyscallName>(name: N, args: Args<N>): Result<N> {
    return this.self.call(name, args)
  }

  /** "ok", or the name of the refusal, which then is all ones in the raw form: what was refused changed nothing. */
  outcome<N extends SyscallName>(name: N, args: Args<N>): string {
    const outcome = outcomeOf(() => this.self.call(name, args))
    if (outcome === "ok") return outcome
    const raw = this.self.callRaw(encodeRequest(name, RAW_CALL_ID, args))
    this.equal(`${name}, refused with ${outcome}, in the raw form`, raw, RAW_REFUSED)
    return outcome
  }

  /** A syscall that must be refused with that error. */
  refused<N extends SyscallName>(what: string, code: string, name: N, args: Args<N>): void {
    this.equal(what, this.outcome(name, args), code)
  }

  /** @throws {Error} they differ */
  equal(what: string, actual: unknown, wanted: unknown): void {
    if (actual !== wanted) throw new Error(`${what}: got ${show(actual)}, expected ${show(wanted)}`)
  }

  /** Whether the kernel does as KaaL does in that point. */
  on(name: SwitchName): boolean {
    return this.self.profile[name]
  }

  /** `equal`, with what is expected depending on the profile, and noted for the table of differences. */
  differs(by: SwitchName, what: string, actual: unknown, wanted: { strict: unknown; kaal: unknown }): void {
    this.equal(what, actual, this.on(by) ? wanted.kaal : wanted.strict)
    this.seen.push({ by, what, got: typeof actual === "string" ? actual : show(actual) })
  }

  /** A slot that this case has not used, and that the kernel's allocator does not hand out. */
  slot(): number {
    if (this.#nextSlot >= SCRATCH_SLOT) throw new Error(`A case has ${SCRATCH_SLOT - FIRST_CASE_SLOT} slots`)
    return this.#nextSlot++
  }

  /** A new object in a new slot. @param sizeBits as retype takes them */
  make(type: number, sizeBits = 0): number {
    const slot = this.slot()
    this.call("retype", { untyped: ConventionSlot.untyped, type, sizeBits, cnode: this.own, slot, count: 1 })
    return slot
  }

  /** A frame of 2^`extraBits` pages. */
  frame(extraBits = 0): number {
    return this.make(ObjectType.Page, PAGE_BITS + extraBits)
  }

  notification(): number {
    return this.make(ObjectType.Notification)
  }

  /** The first page of a frame in the case's own VSpace. Returns its address. */
  map(frame: number, permissions = READ_WRITE): number {
    return this.call("memory_map", { frame, bytes: PAGE_BYTES, permissions }).address
  }

  /** The outcome of a map of one page, which is undone. */
  mapOutcome(args: Args<"memory_map">): string {
    return outcomeOf(() => {
      const { address } = this.call("memory_map", args)
      this.call("memory_unmap", { address, bytes: PAGE_BYTES })
    })
  }

  /** A derived child in a new slot of the same CNode. */
  derive(source: number, rights = ALL_RIGHTS, target = this.slot(), cnode = this.own): number {
    this.call("cap_derive", { cnode, source, target, rights })
    return target
  }

  copy(source: number, target = this.slot()): number {
    this.call("cap_copy", { sourceCNode: this.own, source, targetCNode: this.own, target })
    return target
  }

  mint(source: number, badge: bigint, rights = ALL_RIGHTS): number {
    const target = this.slot()
    this.call("cap_mint", { cnode: this.own, source, target, rights, badge })
    return target
  }

  delete(...slots: readonly number[]): void {
    for (const slot of slots) this.call("cap_delete", { cnode: this.own, slot })
  }

  /** Deletes what stands in those slots, if anything does. */
  clear(...slots: readonly number[]): void {
    this.delete(...slots.filter(slot => this.holds(slot)))
  }

  /** Gives empty slots back to cap_allocate. */
  giveBack(...slots: readonly number[]): void {
    // Where the delete of an empty slot is refused, it must be filled first.
    if (this.on("emptySlotIsRefused")) for (const slot of slots) this.derive(this.own, 0, slot)
    this.delete(...slots)
  }

  /**
   * Removes what was derived from the capability in `slot`; one like it stands there afterwards. Where a revoke removes
   * that one as well, and its mappings with it, a copy is put aside and back.
   */
  revoke(slot: number): void {
    const isRemoved = this.on("revokeRemovesItself")
    if (isRemoved) this.copy(slot, SCRATCH_SLOT)
    this.call("cap_revoke", { cnode: this.own, slot })
    if (isRemoved) this.move(SCRATCH_SLOT, slot)
  }

  move(source: number, target: number, sourceCNode = this.own): void {
    const place = { sourceCNode, source, targetCNode: this.own, target }
    if (sourceCNode === this.own || !this.on("moveStaysInCNode")) this.call("cap_move", place)
    else {
      this.call("cap_copy", place)
      this.call("cap_delete", { cnode: sourceCNode, slot: source })
    }
  }

  /** Whether a slot holds a capability, as a copy of it tells. */
  holds(slot: number, cnode = this.own): boolean {
    const place = { sourceCNode: cnode, source: slot, targetCNode: this.own, target: SCRATCH_SLOT }
    const outcome = this.outcome("cap_copy", place)
    if (outcome === "FailedLookup") return false
    this.equal(`copy of slot ${slot}, to see whether it is occupied`, outcome, "ok")
    this.delete(SCRATCH_SLOT)
    return true
  }

  /** Which slots are occupied, as "oo-o": to compare many at a glance. */
  picture(slots: readonly number[], cnode = this.own): string {
    return slots.map(slot => (this.holds(slot, cnode) ? "o" : "-")).join("")
  }

  /** The rights of a capability in the root CNode, as what can be derived from it tells. */
  rightsOf(slot: number): number {
    return Object.values(Right).reduce((rights, right) => {
      const args = { cnode: this.own, source: slot, target: SCRATCH_SLOT, rights: right }
      const outcome = this.outcome("cap_derive", args)
      if (outcome === "IllegalOperation") return rights
      this.equal(`derive from slot ${slot}, to see its rights`, outcome, "ok")
      this.delete(SCRATCH_SLOT)
      return rights | right
    }, 0)
  }

  /** Signals `bits`, or all of the capability's badge: "ok", or the name of the refusal. */
  signal(slot: number, bits?: bigint): string {
    return outcomeOf(() => this.self.notification(slot).signal(bits))
  }

  /** The bits that are taken, or the name of the refusal. */
  poll(slot: number): bigint | string {
    return resultOf(() => this.self.notification(slot).poll())
  }

  /** Reads a word: its value, or "PageFault". */
  load(address: number): number | string {
    return resultOf(() => this.self.vspace.loadWord(address))
  }

  /** Writes a word: "ok", or "PageFault". */
  store(address: number, value: number): string {
    return outcomeOf(() => this.self.vspace.storeWord(address, value))
  }
}

function outcomeOf(run: () => unknown): string {
  const result = resultOf(() => {
    run()
    return "ok"
  })
  return String(result)
}

function resultOf<T>(run: () => T): T | string {
  try {
    return run()
  } catch (error) {
    if (error instanceof KernelError) return error.code
    if (error instanceof PageFault) return error.name
    throw error
  }
}

function show(value: unknown): string {
  return typeof value === "bigint" ? `0x${value.toString(16)}` : JSON.stringify(value)
}
