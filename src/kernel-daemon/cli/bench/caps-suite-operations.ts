// caps-suite-operations.ts: how many capabilities a second the kernel derives, copies, mints, moves and deletes.

import { encodeRequest } from "../../abi/codec.ts"
import { ConventionSlot, MAX_CNODE_SLOTS } from "../../abi/limits.ts"
import { ALL_RIGHTS } from "../../abi/rights.ts"
import type { Args, SyscallName } from "../../abi/syscalls.ts"
import { perform } from "../../invocation/perform.ts"
import { Removal } from "../../invocation/removal.ts"
import { ROOT_TASK } from "../../invocation/state.ts"
import { type CapsRow, rowOf } from "./caps-suite-row.ts"
import { stopwatch } from "./caps-suite-stopwatch.ts"
import { FIRST_CNODE_SLOT, FRAME_SLOT, World } from "./caps-suite-world.ts"

const LIMIT = 1e6
const TRIALS = 5
/** Trials before any counts, so that optimised code is measured. */
const WARM_UP = 2
/** Operations of one kind in one trial: as many as half a CNode has slots, so that a move finds the other half empty. */
const COUNT = MAX_CNODE_SLOTS / 2 - 1
const SOURCE_SLOT = 0
const OPERATIONS = ["derive", "copy", "mint", "move", "delete"] as const
type Operation = (typeof OPERATIONS)[number]

/** One trial. Each step finds what it needs: a maker fills the lower half, a move takes it to the upper, a delete empties that. */
const TRIAL: readonly Operation[] = ["derive", "move", "delete", "copy", "move", "delete", "mint", "move", "delete"]

/** A decoded call. */
type CallOf = { [N in SyscallName]: { readonly name: N; readonly args: Args<N> } }[SyscallName]

/** Rows for each operation, by the functions that perform it and by messages as they come from a component. */
export function measureOperations(): CapsRow[] {
  const inCore = measure(world => call => {
    const outcome = perform(world.state, world.caller, call)
    if (outcome instanceof Removal) {
      outcome.collect()
      outcome.apply()
      world.state.drain()
    }
  })
  const byMessage = measure(
    ({ kernel }) =>
      (_call, message) =>
        kernel.invoke(ROOT_TASK, message).commit(),
  )
  return OPERATIONS.flatMap(name => [
    rowOf(
      { what: `${name}, in the core`, unit: "ops/s", limit: LIMIT, note: "a frame's; every check included" },
      inCore[name],
    ),
    rowOf(
      { what: `${name}, through Kernel.invoke`, unit: "ops/s", note: "request decoded, reply encoded" },
      byMessage[name],
    ),
  ])
}

function measure(
  makeStep: (world: World) => (call: CallOf, message: Uint8Array) => unknown,
): Record<Operation, number[]> {
  const world = new World(1)
  const source = { sourceCNode: ConventionSlot.ownCNode, source: FRAME_SLOT }
  world.call("cap_copy", { ...source, targetCNode: FIRST_CNODE_SLOT, target: SOURCE_SLOT })
  const step = makeStep(world)
  const prepared = Object.fromEntries(
    OPERATIONS.map(name => {
      const calls = Array.from({ length: COUNT }, (_, index) => callOf(name, index))
      return [name, { calls, messages: calls.map(call => encodeRequest(call.name, 1, call.args)) }]
    }),
  ) as Record<Operation, { calls: CallOf[]; messages: Uint8Array[] }>
  const rates: Record<Operation, number[]> = { derive: [], copy: [], mint: [], move: [], delete: [] }
  for (let trial = -WARM_UP; trial < TRIALS; trial++) {
    for (const name of TRIAL) {
      const { calls, messages } = prepared[name]
      const elapsedMs = stopwatch()
      for (let index = 0; index < COUNT; index++) step(calls[index] as CallOf, messages[index] as Uint8Array)
      const seconds = elapsedMs() / 1e3
      if (trial >= 0) rates[name].push(COUNT / seconds)
    }
    const left = world.cnodes[0]?.occupied
    if (left !== 1)
      throw new Error(`After trial ${trial} the CNode holds ${left} capabilities, it must hold the source only`)
  }
  return rates
}

function callOf(operation: Operation, index: number): CallOf {
  const cnode = FIRST_CNODE_SLOT
  const low = SOURCE_SLOT + 1 + index
  const high = low + COUNT
  switch (operation) {
    case "derive":
      return { name: "cap_derive", args: { cnode, source: SOURCE_SLOT, target: low, rights: ALL_RIGHTS } }
    case "mint":
      return {
        name: "cap_mint",
        args: { cnode, source: SOURCE_SLOT, target: low, rights: ALL_RIGHTS, badge: BigInt(low) },
      }
    case "copy":
      return { name: "cap_copy", args: { sourceCNode: cnode, source: SOURCE_SLOT, targetCNode: cnode, target: low } }
    case "move":
      return { name: "cap_move", args: { sourceCNode: cnode, source: low, targetCNode: cnode, target: high } }
    case "delete":
      return { name: "cap_delete", args: { cnode, slot: high } }
  }
}
