// standstill.test.ts: what the watch for standstills costs, in looks and in system calls of each, however the components do.

import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import t, { type Test } from "tap"
import { KERNEL_PAGE, SLEEPS_FOR } from "../../../src/kernel-daemon/abi/vspace-map.ts"
import { StandstillWatch } from "../../../src/kernel-daemon/broker/standstill.ts"
import type { Sights } from "../../../src/kernel-daemon/broker/unmap-proof.ts"

const SECOND = 1_000
const HOUR = 3_600 * SECOND
const BASE = 0x10_0000_0000
const WORD = KERNEL_PAGE + 0x10000
const FUTEX = process.arch === "arm64" ? 98 : 202
const FUTEX_WAITV = 449
/** Reading a small file of /proc whole counts as one: Node opens, reads and closes it. */
const COUNTED = ["readFileSync", "openSync", "readSync", "closeSync"] as const

/** The descriptor of a component's memory; no other reaches it. */
const MEMORY = 0x7fff_fff0

type Doing = "works" | "sleeps" | "sleeps on several words" | "has ended"

/** Timers by which time passes only when the test says so. A turn of the event loop takes none. */
class Clock {
  now = 0
  made = 0
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>()

  constructor(t: Test) {
    const set = (run: () => void, ms: number) => {
      const id = ++this.made
      this.#timers.set(id, { at: this.now + ms, run })
      return Object.assign(Object(id), { unref: () => id })
    }
    const clear = (id: unknown) => this.#timers.delete(Number(id))
    t.intercept(globalThis, "setTimeout", { value: set })
    t.intercept(globalThis, "clearTimeout", { value: clear })
    t.intercept(globalThis, "setImmediate", { value: (run: () => void) => set(run, 0) })
  }

  advance(ms: number): void {
    for (const end = this.now + ms; ; ) {
      const [id, next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? []
      if (id === undefined || next === undefined || next.at > end) {
        this.now = end
        return
      }
      this.#timers.delete(id)
      this.now = next.at
      next.run()
    }
  }
}

/** A watch over components that do as they are told, in a /proc of their own. */
function watchOver(t: Test, components: readonly Doing[]) {
  const clock = new Clock(t)
  const calls: string[] = []
  const looks: number[] = []
  const told: string[][] = []
  const state = { value: 0 }
  const procOf = (path: string): string => {
    const [, pid, file] = /^\/proc\/(\d+)\/(\w+)$/.exec(path) ?? []
    const doing = components[Number(pid) - 1]
    if (Number(pid) === 1 && file === "syscall") looks.push(clock.now)
    if (doing === undefined || doing === "has ended") throw Object.assign(new Error("ESRCH"), { code: "ESRCH" })
    if (file === "maps") return `${(BASE + KERNEL_PAGE).toString(16)}-0 r--s 0 00:01 1 /memfd:kaal-status (deleted)\n`
    if (doing === "works") return "running\n"
    const number = doing === "sleeps" ? FUTEX : FUTEX_WAITV
    return `${number} 0x${(BASE + WORD).toString(16)} 0x2 0x${state.value.toString(16)} 0x0 0x0 0x0 0x0 0x0\n`
  }
  const read = (_: number, into: Buffer, __: number, bytes: number, position: number) => {
    if (position === BASE + SLEEPS_FOR) into.writeDoubleLE(Number.POSITIVE_INFINITY)
    else for (let at = 0; at < bytes; at += 24) into.writeBigUInt64LE(BigInt(BASE + WORD), at + 8)
    return bytes
  }
  const fakes = { readFileSync: procOf, openSync: () => MEMORY, readSync: read, closeSync: () => {} }
  for (const name of COUNTED) {
    const real = fs[name] as (...args: unknown[]) => unknown
    const fake = fakes[name] as unknown as typeof real
    // Whoever else reads meanwhile, such as the test runner, reads what there is.
    const value = (...args: unknown[]) => {
      const isOurs = args[0] === MEMORY || String(args[0]).startsWith("/proc/")
      if (isOurs) calls.push(name)
      return (isOurs ? fake : real).apply(fs, args)
    }
    t.intercept(fs, name, { value })
  }
  syncBuiltinESMExports()
  const processes = new Map(components.map((_, index) => [index + 1, { pid: index + 1 }]))
  const wakersAt = (id: number) => ({ object: "frame 9", wakers: [...processes.keys()].filter(each => each !== id) })
  const kernel = { processWaits: () => [], wakersAt, componentName: (id: number) => `c${id}` }
  const sights = { kernel, processes } as unknown as Sights
  const watch = new StandstillWatch(sights, lines => told.push(lines))
  return { clock, calls, looks, told, state, watch }
}

t.afterEach(() => syncBuiltinESMExports())

t.test("a look costs one reading where a component works or has ended, up to six calls where one sleeps", async t => {
  for (const [doing, wanted] of [
    ["works", ["readFileSync"]],
    ["has ended", ["readFileSync"]],
    ["sleeps", ["readFileSync", "readFileSync", "openSync", "readSync", "closeSync"]],
    ["sleeps on several words", ["readFileSync", "readFileSync", "openSync", "readSync", "readSync", "closeSync"]],
  ] as const) {
    t.test(doing, async t => {
      const { clock, calls, looks } = watchOver(t, [doing])
      clock.advance(2 * SECOND - 1)
      t.same(calls, [], "nothing before its time")
      clock.advance(1)
      t.same(calls, wanted)
      t.equal(looks.length, 1)
    })
  }
})

t.test("while nobody calls looks become rare: 60 in the first hour, 56 in each that follows", async t => {
  const { clock, calls, looks } = watchOver(t, ["works", "works", "works"])
  clock.advance(HOUR)
  t.same(
    looks.slice(0, 7),
    [2, 6, 14, 30, 62, 126, 190].map(second => second * SECOND),
  )
  t.equal(looks.length, 60)
  t.equal(calls.length, 60 * 3, "and each is one reading a component")
  clock.advance(HOUR)
  t.equal(looks.length, 60 + 56)
})

t.test("calls, however many, make no look of their own and no system call", async t => {
  const { clock, calls, looks, watch } = watchOver(t, ["works"])
  clock.advance(2 * SECOND)
  const [made, before] = [clock.made, calls.length]
  for (let call = 0; call < 100_000; call++) watch.note()
  t.equal(calls.length, before)
  t.equal(clock.made, made + 1, "the first puts the next look forward, the others do nothing")
  for (let at = 0; at < 60 * SECOND; at++) {
    watch.note()
    clock.advance(1)
  }
  t.equal(looks.length, 1 + 30, "a look every two seconds while somebody calls each millisecond")
})

t.test(
  "where messages flow between two that are always found asleep, it stays at that, and nothing is told",
  async t => {
    const { clock, calls, looks, told, state } = watchOver(t, ["sleeps", "sleeps"])
    for (let at = 0; at < 60 * SECOND; at += SECOND) {
      state.value++
      clock.advance(SECOND)
    }
    t.equal(looks.length, 30)
    t.equal(calls.length, 30 * 2 * 5)
    t.same(told, [])
    clock.advance(8 * SECOND)
    t.equal(told.length, 1, "when nothing flows any more it is told, once")
    clock.advance(HOUR)
    t.equal(told.length, 1)
  },
)

t.test("many components are looked at more seldom, one in a turn of the event loop", async t => {
  const { clock, calls, looks, watch } = watchOver(t, Array<Doing>(1_000).fill("works"))
  watch.note()
  clock.advance(20 * SECOND - 1)
  t.same(looks, [])
  const made = clock.made
  clock.advance(1)
  t.equal(calls.length, 1_000)
  t.equal(clock.made - made, 1_001, "a turn for each, and the timer of the next look")
})
