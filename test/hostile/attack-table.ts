// attack-table.ts: every attack of `kaal attacks`: what each must have got, and that the same succeeds where it should.

import type { Test } from "tap"
import { KERNEL_ATTACKS } from "../../src/protocols/attacks.ts"
import { hostileTree, kaalIn, type Way } from "./raw-syscall/tree.ts"

interface Row {
  readonly attack: string
  readonly by: string
  readonly got: string
  readonly rightly: string
  readonly open: boolean
  readonly problem?: string
}

const DEADLINE_MS = 100_000

/** By reading alone: none of these takes or changes what is another's. */
export const LEFT_BY_THE_FILTER = [
  "open another component's descriptors (/proc/PID/fd)",
  "read files of the daemon's user",
]

/** Makes all attacks in one way of confinement. Cost: some ten seconds. */
export async function checkAttacks(t: Test, way: Way): Promise<void> {
  const tree = await hostileTree(t, [])
  // Open attacks are exit code 1: what they are is in the last line all the same.
  const { stdout, stderr } = await kaalIn(
    tree,
    way.user,
    ["attacks", "--json", ...way.flags],
    {},
    { wrapper: way.wrapper, timeout: DEADLINE_MS },
  ).catch(error => error as { stdout: string; stderr: string })
  const { ok, confinement, attacks } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") ?? {}
  t.equal(confinement, way.way, stderr)
  const rows = attacks as Row[]
  const open = rows.filter(row => row.open)
  t.equal(ok, open.length === 0)
  const byComponents = rows.filter(({ by }) => by === "a component")
  t.same(
    byComponents.map(({ attack }) => attack),
    Object.values(KERNEL_ATTACKS).map(({ name }) => name),
    "all were made",
  )
  for (const { name, expected } of Object.values(KERNEL_ATTACKS)) {
    const row = byComponents.find(({ attack }) => attack === name)
    t.match(row?.got, expected, name)
    t.equal(row?.rightly, "succeeds", `rightly: ${name}`)
    t.notOk(row?.open, row?.problem ?? name)
  }
  const openBySystemCalls = open.filter(({ by }) => by !== "a component").map(({ attack }) => attack)
  if (way.way === "user-id") t.same(openBySystemCalls, [])
  if (way.way === "namespace") t.same(openBySystemCalls, ["read files of the daemon's user"])
  if (way.way === "filter") t.same(openBySystemCalls, LEFT_BY_THE_FILTER)
  if (way.way === "none") t.ok(openBySystemCalls.length > 30, "unconfined, nothing but its descriptors stops it")
}
