// suites.slow.test.ts: each suite of `kaal bench` runs to its end and gives every figure that its lines promise. What the
// figures are is no matter here: one pair, few samples, and other processes may have the processors.

import t from "tap"
import type { Figure, Row, Trial } from "../../src/kernel-daemon/cli/bench/row.ts"
import { runKaal } from "../helpers/system.ts"

const OURS = "kaal-ipc"
const SUITES: Readonly<Record<string, { readonly keys: readonly string[]; readonly contenders: readonly string[] }>> = {
  ring: {
    keys: [
      ...[8, 64, 1_024].flatMap(bytes => [`oneway-${bytes}`, `rtt-${bytes}-p999`, `stream-${bytes}-seqcst`]),
      ...["oneway-64-cycles", "stream-64-release", "batch-64", "in-place-65536", "parked-rtt", "system-calls"],
    ],
    contenders: [OURS, "C++"],
  },
  notify: { keys: ["signal-spin", "signal-unheard", "signal-parked"], contenders: [OURS, "C++"] },
  await: { keys: ["asleep, one CPU"], contenders: [OURS, "Unix socket"] },
  shapes: { keys: ["merge-rate", "merge-share", "broadcast-rate", "lossy-rate", "service-rate"], contenders: [] },
  sizes: {
    keys: [8, 64, 512, 4_096, 65_536, 1_048_576].flatMap(bytes => [`bytes-${bytes}`, `bytes-${bytes}-socket`]),
    contenders: [OURS, "C++", "Unix socket"],
  },
  syscall: { keys: ["null-p50, one CPU"], contenders: [] },
  spawn: { keys: ["first-message", "idle-pss", "idle-cpu"], contenders: [] },
  death: {
    keys: ["parked", "spinning", "await"].flatMap(how => [`told-p50-${how}`, `told-p99-${how}`]),
    contenders: [],
  },
  scale: { keys: ["per-message"], contenders: [] },
  peers: {
    keys: ["rtt, Unix socket", "stream, Unix socket", "rtt, process.send, JSON", "rtt, MessagePort, two threads"],
    contenders: [
      OURS,
      "C++",
      "Unix socket",
      "process.send, JSON",
      "process.send, advanced",
      "MessagePort, two threads",
    ],
  },
}

for (const [suite, { keys, contenders }] of Object.entries(SUITES)) {
  t.test(`bench ${suite} --quick --json`, { timeout: 300_000 }, async t => {
    const { code, stdout, stderr } = await runKaal(t, ["bench", suite, "--quick", "--json"], 290_000)
    t.equal(code, 0, stderr)
    const rows = stdout
      .trim()
      .split("\n")
      .map(line => JSON.parse(line) as Row)
    t.equal(rows[0]?.what, "machine", "the first line says on what it was measured")
    const figures = rows.filter((row): row is Figure => row.what === "figure")
    const trials = rows.filter((row): row is Trial => row.what === "trial")
    const missing = keys.filter(key => !figures.some(figure => figure.key === key))
    t.same(missing, [], "no figure is missing")
    t.same(
      contenders.filter(name => !trials.some(({ of }) => of === name)),
      [],
      "nobody is missing",
    )
    for (const { rtt_ns, msgs_per_s, work, of } of trials) {
      t.ok((rtt_ns?.p50 ?? msgs_per_s ?? 0) > 0, `${of}, ${work}: ${rtt_ns?.p50} ns, ${msgs_per_s} a second`)
    }
    for (const { key, ours } of figures) t.ok(ours !== null && ours >= 0, `${key}: ${ours}`)
  })
}
