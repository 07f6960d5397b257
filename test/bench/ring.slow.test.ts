// ring.slow.test.ts: `kaal bench ring` gives every figure that its lines promise, ours and the reference's.

import t from "tap"
import { runKaal } from "../helpers/system.ts"

interface Row {
  readonly what: string
  readonly mode: string
  readonly bytes: number
  readonly rtt_ns?: { readonly p50: number } | null
  readonly msgs_per_s?: number | null
  readonly ours?: number
  readonly theirs?: number
}

t.test("bench ring --json", { timeout: 600_000 }, async t => {
  const { code, stdout, stderr } = await runKaal(t, ["bench", "ring", "--json"], 590_000)
  t.equal(code, 0, stderr)
  const rows = stdout
    .trim()
    .split("\n")
    .map(line => JSON.parse(line) as Row)
  for (const mode of ["spin-pingpong", "park-pingpong", "stream"]) {
    for (const bytes of [8, 64, 1024]) {
      for (const what of ["kaal-ipc", "native-reference"]) {
        const trials = rows.filter(row => row.what === what && row.mode === mode && row.bytes === bytes)
        t.ok(trials.length >= 7, `${trials.length} trials of ${what}, ${mode}, ${bytes} bytes`)
        for (const { rtt_ns, msgs_per_s } of trials) {
          const figure = mode === "stream" ? msgs_per_s : rtt_ns?.p50
          t.ok(figure !== null && figure !== undefined && figure > 0, `${figure}`)
        }
      }
      const verdicts = rows.filter(
        row => (row.what === "ratio" || row.what === "unmeasured") && row.mode === mode && row.bytes === bytes,
      )
      t.ok(verdicts.length > 0, `${mode}, ${bytes} bytes ends with a ratio, or says why not`)
      for (const { what, ours, theirs } of verdicts) if (what === "ratio") t.ok(Number(ours) > 0 && Number(theirs) > 0)
    }
  }
})
