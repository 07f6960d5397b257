// caps-suite-world.ts: a kernel without processes: a root task, a frame, and slots for a million capabilities.

import { encodeRequest } from "../../abi/codec.ts"
import { ConventionSlot, MAX_CNODE_SLOTS } from "../../abi/limits.ts"
import { ObjectType } from "../../abi/object-types.ts"
import type { Args, SyscallName } from "../../abi/syscalls.ts"
import { Kernel } from "../../invocation/kernel.ts"
import type { Caller } from "../../invocation/outcome.ts"
import { KernelState, ROOT_TASK } from "../../invocation/state.ts"
import type { Capability } from "../../objects/capability.ts"
import type { CNode } from "../../objects/cnode.ts"
import type { Component } from "../../objects/component.ts"

/** Where in the root CNode the frame stands, and the first of the large CNodes. */
export const FRAME_SLOT = 100
export const FIRST_CNODE_SLOT = 101

const CNODE_BITS = Math.log2(MAX_CNODE_SLOTS)

export class World {
  readonly state = new KernelState()
  readonly kernel = new Kernel(this.state)
  readonly caller: Caller
  /** A capability to a frame: shared memory, whose capabilities cost the kernel the most. */
  readonly frame: Capability
  readonly cnodes: readonly CNode[]

  /** @param capabilities how many slots are wanted beside one for a source in each CNode */
  constructor(capabilities: number) {
    this.kernel.boot("bench", []).commit()
    const component = this.state.components.get(ROOT_TASK) as Component
    this.caller = { component, callId: 1 }
    const { untyped, ownCNode: cnode } = ConventionSlot
    this.call("memory_allocate", { bytes: 1 })
    const count = Math.ceil(capabilities / (MAX_CNODE_SLOTS - 1))
    const cnodes = { untyped, type: ObjectType.CNode, sizeBits: CNODE_BITS, cnode, slot: FIRST_CNODE_SLOT, count }
    this.call("retype", cnodes)
    this.frame = component.cspace.lookup(FRAME_SLOT)
    this.cnodes = Array.from(
      { length: count },
      (_, index) => component.cspace.lookup(FIRST_CNODE_SLOT + index).object as CNode,
    )
  }

  /** A call as the broker makes it, all its effects granted. */
  call<N extends SyscallName>(name: N, args: Args<N>): void {
    this.kernel.invoke(ROOT_TASK, encodeRequest(name, 1, args)).commit()
  }
}
