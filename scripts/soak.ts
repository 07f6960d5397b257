// soak.ts: `npm run soak -- --minutes N [--seed S] [--json]`: components that come and go for N minutes, and what is left.
// The operations follow from the seed; when Linux lets whom run does not. `--components N` at a time, 24 by default.

import { parseArgs } from "node:util"
import { MOST_PLACES } from "../test/fixtures/components/soak-root/board.ts"
import { judge } from "../test/soak/judge.ts"
import { type Sample, soak } from "../test/soak/soak.ts"
import { numberOption } from "./options.ts"

const EVERY_SECONDS = 3
const OUTPUT_LINES = 40

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    components: { type: "string", default: "24" },
    json: { type: "boolean", default: false },
  },
})
const minutes = numberOption("minutes", values.minutes, 0.05, 10_000)
const seed = numberOption("seed", values.seed, 0, 0xffff_ffff)
const places = Math.ceil(numberOption("components", values.components, 2, 2 * MOST_PLACES) / 2)

const HEAD = [
  ..."seconds,daemon MiB,its PSS,its fds,its maps,root MiB,root fds,processes,caps,memories".split(","),
  ..."messages,syscall us,spawn ms,revoke ms".split(","),
]

function show({ seconds, daemon, rootTask, processes, held, books, latencies }: Sample): void {
  const { syscall, spawn, revoke } = latencies
  const mib = (kib = Number.NaN): string => (kib / 1024).toFixed(1)
  const fixed = (us: number | undefined, divisor: number): string => (us === undefined ? "" : (us / divisor).toFixed(1))
  row([
    seconds.toFixed(0),
    ...[mib(daemon.rssKiB), mib(daemon.pssKiB), daemon.descriptors, daemon.mappings],
    ...[mib(rootTask?.rssKiB), rootTask?.descriptors ?? ""],
    ...[processes, held.capabilities ?? "", held.memories ?? "", books.messages],
    ...[fixed(syscall, 1), fixed(spawn, 1_000), fixed(revoke, 1_000)],
  ])
}

function row(cells: readonly (string | number)[]): void {
  console.log(cells.map((cell, at) => String(cell).padStart(Math.max(8, (HEAD[at] ?? "").length))).join("  "))
}

if (!values.json) {
  console.log(`soak: seed ${seed}, ${minutes} minutes, ${2 * places} components at a time`)
  row(HEAD)
}
const onSample = values.json ? {} : { onSample: show }
const run = await soak({ seed, seconds: minutes * 60, places, every: EVERY_SECONDS, ...onSample })
const { ok, wrong, ...verdict } = judge(run)
const result = {
  ok,
  ...{ seed, minutes, operations: run.operations, messages: run.books.messages },
  ...verdict,
  wrong,
}
if (!ok) console.log(run.output.split("\n").slice(-OUTPUT_LINES).join("\n"))
for (const what of wrong) console.log(`wrong: ${what}`)
console.log(JSON.stringify(result))
process.exitCode = ok ? 0 : 1
