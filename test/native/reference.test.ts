// reference.test.ts: the C++ yardstick ends with true counts in every mode, refuses wrong arguments, and leaves nothing.
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import t, { type Test } from "tap"
import { native } from "../../native/index.ts"
import { eventually } from "../helpers/native.ts"

const PROGRAM = fileURLToPath(new URL("../../build/Release/kaal-reference", import.meta.url))
const DEADLINE_MS = 30_000
const VARIANTS = [
  "index-release",
  "index-seqcst",
  "index-release-ahead",
  "index-seqcst-ahead",
  "slot-release",
  "slot-seqcst",
] as const

interface Report {
  readonly what: string
  readonly mode: string
  readonly variant: string | null
  readonly pause: boolean
  readonly bytes: number | null
  readonly slots: number | null
  readonly samples: number | null
  readonly batch: number | null
  readonly rtt_ns: Readonly<Record<"p50" | "p99" | "p999" | "max", number | null>>
  readonly oneway_cycles_p50: number | null
  readonly oneway_stamp_cycles_p50: number | null
  readonly msgs_per_s: number | null
  readonly probe_ns: { readonly before: number | null; readonly after: number | null }
  readonly placement: string | null
  readonly tsc_hz: number
}

/** The program's command line behind an env(1) that takes away what the test runner loads into every process. */
function command(args: string, marker: string = randomUUID()): string[] {
  return ["-u", "NODE_OPTIONS", `KAAL_TEST=${marker}`, PROGRAM, ...args.split(" ").filter(arg => arg !== "")]
}

function run(args: string, marker?: string) {
  return spawnSync("/usr/bin/env", command(args, marker), {
    encoding: "utf8",
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  })
}

/** Runs to an orderly end, on two processors that this process may use. */
function report(t: Test, args: string): Report {
  const [first, second] = native.affinity()
  const { status, stdout, stderr } = run(`--cpus ${first},${second} ${args}`)
  t.equal(stderr, "", args)
  t.equal(status, 0, args)
  t.match(stdout, /^\{[^\n]*\}\n$/, "one object on one line")
  return JSON.parse(stdout)
}

/** How many processes run with that marker in their environment. */
function running(marker: string): number {
  return readdirSync("/proc").filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`KAAL_TEST=${marker}`)
    } catch {
      return false // it has ended meanwhile
    }
  }).length
}

const positive = (value: number | null) => value !== null && value > 0

t.test("kaal-reference", { skip: skipReason() }, async t => {
  for (const variant of VARIANTS) {
    t.test(`spin-pingpong, ${variant}: all round trips are timed`, async t => {
      const got = report(t, `--mode spin-pingpong --variant ${variant} --bytes 64 --slots 4 --samples 3001 --block 100`)
      t.match(got, {
        what: "native-reference",
        mode: "spin-pingpong",
        variant,
        bytes: 64,
        slots: 4,
        samples: 3001,
        batch: 1,
      })
      t.ok(Object.values(got.rtt_ns).every(positive))
      t.ok(positive(got.oneway_cycles_p50) && positive(got.probe_ns.before) && positive(got.probe_ns.after))
      t.equal(typeof got.oneway_stamp_cycles_p50, "number")
      t.match(got.placement, /^(S|N|F|X|changed)$/)
      t.equal(got.msgs_per_s, null)
    })

    t.test(`stream, ${variant}: every message arrives, in order and whole`, async t => {
      for (const shape of [
        "--bytes 8 --slots 2",
        "--bytes 24 --slots 64 --batch 32",
        "--bytes 56 --slots 8 --batch 3 --pause",
        "--bytes 64 --slots 8 --in-place",
        "--bytes 4096 --slots 4",
        "--bytes 8 --slots 4 --payload filled",
        "--bytes 64 --slots 8 --payload filled --in-place",
        "--bytes 8 --slots 4 --payload block",
        "--bytes 4096 --slots 4 --payload block",
      ]) {
        const got = report(t, `--mode stream --variant ${variant} ${shape} --samples 20001`)
        t.match(got, { mode: "stream", variant, samples: 20001, pause: shape.includes("--pause") })
        t.ok(positive(got.msgs_per_s))
        t.same(Object.values(got.rtt_ns), [null, null, null, null])
      }
    })
  }

  for (const variant of [...VARIANTS, "futex"]) {
    t.test(`park-pingpong, ${variant}: no wake-up is lost`, async t => {
      const got = report(t, `--mode park-pingpong --variant ${variant} --bytes 64 --slots 4 --samples 3000`)
      t.match(got, { mode: "park-pingpong", variant, samples: 3000 })
      t.ok(Object.values(got.rtt_ns).every(positive))
    })
  }

  t.test("park-pingpong on one processor has no probe and no placement", async t => {
    const [cpu] = native.affinity()
    const { status, stdout } = run(`--mode park-pingpong --variant index-seqcst --samples 500 --cpus ${cpu},${cpu}`)
    t.equal(status, 0)
    t.match(JSON.parse(stdout), { probe_ns: { before: null, after: null }, placement: null })
  })

  t.test("probe measures the bare round trip alone", async t => {
    const got = report(t, "--mode probe --cpus none")
    t.match(got, { mode: "probe", variant: null, bytes: null, slots: null, samples: null, msgs_per_s: null })
    t.ok(positive(got.probe_ns.before) && positive(got.probe_ns.after) && got.tsc_hz > 1e6)
  })

  t.test("wrong arguments are refused with status 2 and one line that names them", async t => {
    const cases = [
      ["", "--mode", "nothing at all"],
      ["--mode spin", "--mode", "unknown mode"],
      ["--mode stream", "--variant", "variant missing"],
      ["--mode stream --variant index", "--variant", "unknown variant"],
      ["--mode stream --variant futex", "--variant", "parks only"],
      ["--mode stream --variant index-release --bytes 7", "--bytes", "below the least"],
      ["--mode stream --variant index-release --bytes 12", "--bytes", "no multiple of 8"],
      ["--mode stream --variant index-release --bytes 64k", "--bytes", "no number"],
      ["--mode stream --variant index-release --bytes -8", "--bytes", "negative"],
      ["--mode stream --variant index-release --slots 3", "--slots", "no power of two"],
      ["--mode stream --variant index-release --slots 65536 --bytes 8192", "--slots", "too much memory"],
      ["--mode stream --variant index-release --slots 8 --batch 5", "--batch", "more than half of the slots"],
      ["--mode park-pingpong --variant index-release --batch 2", "--batch", "streams only"],
      ["--mode spin-pingpong --variant index-release --in-place", "--in-place", "streams only"],
      ["--mode spin-pingpong --variant index-release --payload filled", "--payload", "streams only"],
      ["--mode stream --variant index-release --payload empty", "--payload", "unknown payload"],
      ["--mode stream --variant index-release --samples 0", "--samples", "none"],
      ["--mode stream --variant index-release --samples 99999999999999999999", "--samples", "beyond 64 bits"],
      ["--mode probe --cpus 1", "--cpus", "one processor"],
      ["--mode probe --cpus 0,x", "--cpus", "no number"],
      ["--mode stream --variant index-release --cpus 0,0", "--cpus", "spinning on one processor"],
      ["--mode probe --timeout 0", "--timeout", "no time"],
      ["--mode probe --timeout", "--timeout", "value missing"],
      ["--mode probe --colour red", "--colour", "unknown argument"],
    ] as const
    for (const [args, name, why] of cases) {
      const { status, stdout, stderr } = run(args)
      t.equal(status, 2, `${why}: ${args}`)
      t.equal(stdout, "")
      t.match(stderr, new RegExp(`^kaal-reference: [^\\n]*${name}[^\\n]*[^.\\n]\\n$`))
    }
  })

  t.test("a processor that is not there ends both processes with status 1", async t => {
    const marker = randomUUID()
    const { status, stderr } = run("--mode probe --cpus 8190,8191", marker)
    t.equal(status, 1)
    t.match(stderr, /--cpus names CPU 819[01]/)
    t.ok(await eventually(() => running(marker) === 0))
  })

  t.test("--timeout ends both processes with status 1", async t => {
    const marker = randomUUID()
    const { status, stdout, stderr } = run(
      "--mode park-pingpong --variant futex --samples 10000000 --timeout 1 --cpus none",
      marker,
    )
    t.equal(status, 1)
    t.equal(stdout, "")
    t.match(stderr, /^[^\n]*--timeout[^\n]*\n$/, "one line")
    t.equal(running(marker), 0)
  })

  t.test("neither process outlives the other's violent end", async t => {
    const endless = "--mode park-pingpong --variant futex --samples 10000000 --timeout 60 --cpus none"
    for (const victim of ["parent", "child"]) {
      const marker = randomUUID()
      const parent = spawn("/usr/bin/env", command(endless, marker), { stdio: "ignore" })
      t.teardown(() => parent.kill("SIGKILL"))
      t.ok(await eventually(() => childrenOf(parent).length === 1 && running(marker) === 2), "both run")
      const pid = victim === "parent" ? parent.pid : childrenOf(parent)[0]
      process.kill(pid as number, "SIGKILL")
      t.ok(await eventually(() => running(marker) === 0), `the ${victim} was killed`)
    }
  })
})

function childrenOf(parent: ChildProcess): number[] {
  const list = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, "utf8").trim()
  return list === "" ? [] : list.split(" ").map(Number)
}

function skipReason(): string | false {
  if (!existsSync(PROGRAM)) return "the build has not made kaal-reference"
  return availableParallelism() < 2 && "needs two processors"
}
