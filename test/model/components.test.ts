// components.test.ts: components that create, share, map, attach and die in any order leave the tables in order and
// nothing behind. Broker refusals and calls that overlap are part of it.

import assert from "node:assert/strict"
import fc from "fast-check"
import t from "tap"
import { encodeRequest } from "../../src/kernel-daemon/abi/codec.ts"
import { KernelError } from "../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot } from "../../src/kernel-daemon/abi/limits.ts"
import { type Args, NO_SLOT, type SyscallName, Syscalls } from "../../src/kernel-daemon/abi/syscalls.ts"
import { FRAMES_START } from "../../src/kernel-daemon/abi/vspace-map.ts"
import { OWN_CNODE, ROOT, ROOT_BYTES, type Suspended, TestKernel } from "../helpers/kernel.ts"
import { violations } from "../helpers/kernel-invariants.ts"

const { untyped, processControl } = ConventionSlot
const ALL_GIFTS = [untyped, untyped, 7, processControl, processControl, 7]
const FRAME = 20
const NOTIFICATION = 21
const OTHER_TCB = 22

/** The root task and two components; each holds a frame and a notification, and a TCB capability to another. */
function populated(): TestKernel {
  const k = new TestKernel()
  const cnode = OWN_CNODE
  const own = { sourceCNode: cnode, targetCNode: cnode }
  k.call(ROOT, "cap_move", { ...own, source: k.frame(ROOT, 8192), target: FRAME })
  k.call(ROOT, "cap_move", { ...own, source: k.notification(), target: NOTIFICATION })
  const gifts = [...ALL_GIFTS, FRAME, FRAME, 7, NOTIFICATION, NOTIFICATION, 7]
  const second = k.spawn(ROOT, gifts)
  const third = k.spawn(ROOT, [...gifts, OTHER_TCB, second.tcb, 7])
  k.call(ROOT, "cap_grant", { source: third.tcb, tcb: second.tcb, slot: OTHER_TCB, rights: 7 })
  k.call(ROOT, "cap_move", { ...own, source: third.tcb, target: OTHER_TCB })
  return k
}

const mostly = (usual: readonly number[], rare: readonly number[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...rare) })
const SLOTS = [FRAME, NOTIFICATION, OTHER_TCB, 30, 31, 100, 101]
const index = mostly(SLOTS, [0, 1, 2, 10, 11, 102, 103, 256])
const cnodes = mostly([OWN_CNODE], SLOTS)
const addresses = mostly([0, 2, 3], [1, 4]).map(page => FRAMES_START + page * 4096)
const numbers: Record<string, fc.Arbitrary<number>> = {
  bytes: mostly([4096, 8192], [0, 1, 12_288]),
  permissions: mostly([1, 3], [0, 2, 4]),
  rights: mostly([3, 7], [0, 1, 2, 4, 5, 6, 8]),
  role: mostly([0, 1, 2], [3]),
  pid: fc.integer({ min: 1, max: 4 }),
  address: addresses,
  targetAddress: addresses,
  untyped: mostly([untyped], SLOTS),
  type: fc.constantFrom(1, 2, 3, 4, 5, 6, 8),
  sizeBits: mostly([12, 13], [2, 4]),
  count: mostly([1, 2], [0]),
  priority: fc.constant(0),
  confined: mostly([0, 1], [2]),
  cnode: cnodes,
  sourceCNode: cnodes,
  targetCNode: cnodes,
  frame: mostly([FRAME], SLOTS),
  tcb: mostly([OTHER_TCB], SLOTS),
}
/** What process_create is to make a component in: mostly its own. */
const given = fc.oneof(fc.constant(NO_SLOT), index)

/** Arguments that often make sense, for any syscall. */
function argsOf(name: SyscallName): fc.Arbitrary<Record<string, unknown>> {
  const kinds = {
    word: () => fc.bigInt({ min: 0n, max: 3n }),
    text: () => fc.constant("child"),
    blob: () => fc.constant(new Uint8Array(3)),
    sizes: (key: string) => {
      if (key === "arguments") return fc.constant([1])
      const gift = fc.tuple(fc.constantFrom(20, 21, 22), index, numbers.rights as fc.Arbitrary<number>)
      return fc.array(gift, { maxLength: 2 }).map(gifts => [...ALL_GIFTS, ...gifts.flat()])
    },
  }
  const fields = Object.entries(Syscalls[name].args).map(([key, kind]) => {
    const number = name === "process_create" && (key === "tcb" || key === "vspace") ? given : (numbers[key] ?? index)
    const made = kind === "index" || kind === "size" ? number : kinds[kind as keyof typeof kinds](key)
    return [key, made as fc.Arbitrary<unknown>] as const
  })
  return fc.record(Object.fromEntries(fields))
}

const names = (Object.keys(Syscalls) as SyscallName[]).filter(name => name !== "shutdown")
const call = fc.constantFrom(...names).chain(name =>
  fc.record({
    kind: fc.constant("call" as const),
    caller: mostly([1, 2, 3], [4, 5]),
    name: fc.constant(name),
    args: argsOf(name),
  }),
)
const step = fc.oneof(
  { weight: 24, arbitrary: call },
  { weight: 6, arbitrary: call.map(made => ({ ...made, kind: "suspend" as const })) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("resolve" as const), which: fc.nat(3), grant: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("end" as const), pid: fc.integer({ min: 2, max: 5 }) }) },
)

/** What is mapped, as the tables have it and as the effects have left it. */
function ensurePagesAgree(k: TestKernel): void {
  const known = new Map<string, object>()
  for (const { id, state, vspace } of k.state.components.values()) {
    for (const { parts } of state === "ended" ? [] : vspace.mappings) {
      for (const part of parts) known.set(`${id}:${part.address}`, { kind: "map", component: id, ...part })
    }
  }
  assert.deepEqual(k.pages, known)
}

/** Runs `run`; a refusal, or that the call blocks, is as good as a result. */
function refusable(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
  }
}

t.test(
  "whatever components call, overlap, have refused and die of, the tables hold together and all is given back",
  async t => {
    let emptied = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), steps => {
        const k = populated()
        const open: Suspended<SyscallName>[] = []
        const resolve = (which: number, grant: boolean) => {
          const [suspended] = open.splice(which % open.length, 1)
          const refused = new KernelError("NotEnoughMemory", "Linux has none")
          refusable(() => (grant ? suspended?.commit() : suspended?.refuse(refused)))
        }
        for (const step of steps) {
          if (step.kind === "call") refusable(() => k.begin(step.caller, step.name, step.args as Args<SyscallName>)())
          if (step.kind === "suspend") open.push(k.suspend(step.caller, step.name, step.args as Args<SyscallName>))
          if (step.kind === "resolve" && open.length > 0) resolve(step.which, step.grant)
          if (step.kind === "end" && step.pid < 6) k.end(step.pid, { kind: "killed", signal: "SIGKILL" })
          if (open.length > 0) continue
          assert.deepEqual(violations(k.state), [])
          ensurePagesAgree(k)
        }
        while (open.length > 0) resolve(0, true)
        assert.deepEqual(violations(k.state), [])
        for (const { id } of k.kernel.components()) if (id !== ROOT) k.end(id, { kind: "killed", signal: "SIGKILL" })
        const slots = k.state.components.get(ROOT)?.cspace.slots ?? []
        // Where the root task can still name both it revokes the untyped: then nothing may be left.
        const cnode = slots[OWN_CNODE]?.object.type === "CNode" && slots[OWN_CNODE].rights === 7
        if (cnode && slots[untyped]?.object.chargedBytes === ROOT_BYTES) {
          k.revoke(ROOT, untyped)
          assert.equal(k.freeBytes, ROOT_BYTES)
          assert.equal(k.memories.size, 0)
          ensurePagesAgree(k)
          emptied += 1
        }
        assert.deepEqual(violations(k.state), [])
      }),
      { numRuns: 500 },
    )
    t.ok(emptied > 250, `${emptied} of 500 histories could be revoked to the end`)
  },
)

t.test("Kernel.invoke() answers any bytes and throws at none", async t => {
  const k = new TestKernel()
  const whole = fc
    .constantFrom(...names)
    .chain(name => argsOf(name).map(args => encodeRequest(name, 1, args as Args<SyscallName>)))
  const mutated = fc.tuple(whole, fc.nat(200), fc.nat(255)).map(([bytes, at, value]) => {
    const copy = bytes.slice()
    if (at < copy.length) copy[at] = value
    return copy
  })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), mutated), bytes => {
      const invocation = k.kernel.invoke(ROOT, bytes)
      const effects = invocation.refuse(new KernelError("Cancelled", "not today"))
      const shutDown = effects.some(({ kind }) => kind === "shutdown")
      const waits = effects.length === 0
      assert.ok(shutDown || waits || effects.some(({ kind }) => kind === "reply" || kind === "continue"))
    }),
    { numRuns: 3_000 },
  )
  assert.deepEqual(k.kernel.invoke(77, new Uint8Array(8)).commit(), [], "who is unknown is not answered")
  t.pass("3,000 messages")
})
