// caps.slow.test.ts: `kaal bench caps` measures everything it promises, and judges each figure by its own limit. What
// the figures are is no matter here: other processes may have the processors.

import t from "tap"
import type { CapsRow } from "../../src/kernel-daemon/cli/bench/caps-suite-row.ts"
import { rowOf } from "../../src/kernel-daemon/cli/bench/caps-suite-row.ts"
import { runKaal } from "../helpers/system.ts"

t.test("rowOf() judges the median, in the direction of the unit", async t => {
  const cases = [
    ["ops/s", [1, 5, 9], 5, true],
    ["ops/s", [1, 4, 9], 5, false],
    ["ms", [1, 5, 9], 5, true],
    ["ms", [1, 6, 9], 5, false],
  ] as const
  for (const [unit, trials, limit, ok] of cases) {
    const row = rowOf({ what: "it", unit, limit }, trials)
    t.match(row, { value: trials[1], limit, ok, spread: [1, 9] }, `${trials} ${unit}, limit ${limit}`)
  }
  t.match(rowOf({ what: "it", unit: "ms" }, [3]), { value: 3, limit: null, ok: null }, "no limit, no judgement")
})

t.test("bench caps --json prints a row for every figure", { timeout: 898_000 }, async t => {
  const { code, signal, stdout, stderr } = await runKaal(t, ["bench", "caps", "--json"], 895_000)
  t.equal(signal, null, `it ends by itself ${stderr}`)
  const rows = stdout
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line) as CapsRow)
  const operations = ["derive", "copy", "mint", "move", "delete"]
  const wanted = [
    ...operations.flatMap(name => [`${name}, in the core`, `${name}, through Kernel.invoke`]),
    "memory of a capability",
    ...["wide", "deep"].flatMap(shape => [
      ...["10,000", "100,000", "1,000,000"].map(size => `revoke of ${size}, ${shape}, each`),
      `revoke of 1,000,000, ${shape}`,
      `revoke of 1,000,000, ${shape}, longest piece`,
    ]),
    "null syscall p50, one CPU",
    "null syscall p99, one CPU",
    "null syscall / echo, p50, one CPU",
    ...["1 frame", "10 frames", "100 frames"].flatMap(frames => [
      `map_into / null syscall, p50, ${frames} mapped, one CPU`,
      `revoke until proven gone p50, ${frames} mapped, one CPU`,
    ]),
    ...["wide", "deep"].map(shape => `another's null syscall during a revoke of 1,000,000, ${shape}, max, one CPU`),
  ]
  const what = rows.map(row => row.what)
  t.same(
    wanted.filter(name => !what.includes(name)),
    [],
    "nothing is missing",
  )
  for (const row of rows) {
    const [least, most] = row.spread
    t.ok(row.value > 0 && least <= row.value && row.value <= most, `${row.what}: ${row.value} ${row.unit}`)
    t.equal(row.ok === null, row.limit === null, `${row.what}: judged where there is a limit`)
  }
  t.equal(code, rows.some(({ ok }) => ok === false) ? 1 : 0, "the exit code says whether a limit was missed")
})
