// attacks-run.ts: a system whose components attack its kernel. The kernel and the broker are in this process, so that it can
// count, before and after each attack, what they hold.

import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { type AttacksReport, KERNEL_ATTACKS } from "../../protocols/attacks.ts"
import { Broker } from "../broker/broker.ts"
import type { ConfinementKind } from "../broker/confinement-run.ts"
import { Launch } from "../broker/launch.ts"
import { ComponentFolder, ringWasmPath } from "../broker/programs.ts"
import { Kernel } from "../invocation/kernel.ts"
import { ROOT_TASK } from "../invocation/state.ts"

/** What came of one attack on the kernel. */
export interface KernelFinding {
  readonly attack: string
  /** The refusals that it got, or how it was ended. */
  readonly got: string
  /** What the attacker got for the same done rightly: "succeeds", or what stood in its way. */
  readonly rightly: string
  /** It got what it should not, somebody else was disturbed, or the daemon kept something: in words. Empty: none of these. */
  readonly problem: string
  /** What the bystanders exchanged meanwhile, and the longest time that they have ever waited for an item. */
  readonly bystanders: { readonly items: number; readonly longestMs: number }
  /** How much the daemon's resident memory grew at most, MiB. */
  readonly daemonMiB: number
}

const DEADLINE_MS = 120_000
/** By then what an ended component had is closed: its output is waited for a moment. */
const CLOSED_MS = 2_000
const LOOK_INTERVAL_MS = 10
const MIB = 1024 * 1024
const utf8 = new TextDecoder()

/**
 * Makes every attack of src/protocols/attacks.ts, one after the other, from a component that is confined as `kind` says.
 * Resolves when the system is gone. @throws {Error} the system ended before all had been made, or took too long
 */
export function attackKernel(kind: ConfinementKind, onFinding: (finding: KernelFinding) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let made = 0
    let before: Census = {}
    let rss = new Peak()
    const last: string[] = []
    const note = (text: string): void => {
      last.push(text)
    }
    const onReport = async (report: AttacksReport): Promise<void> => {
      // Nothing changes while it is counted: what would go on is the root task.
      broker.hold(ROOT_TASK)
      if (report.kind === "ready") before = await settledCensus()
      else {
        const kept = await keptSince(before)
        made++
        onFinding(findingOf(report, kept, rss.growthMiB()))
      }
      rss.end()
      rss = new Peak()
      broker.releaseAll()
    }
    const broker = new Broker(new Kernel(), new ComponentFolder(), new Launch(kind), readFileSync(ringWasmPath), {
      onSpawned: () => {},
      onCall: () => {},
      onPrint: (_component, name, lines) => note(`${name}: ${lines.join("\n")}`),
      onReport: bytes => void onReport(JSON.parse(utf8.decode(bytes)) as AttacksReport),
      onEnded: (_component, name, ending) => note(`${name} ended: ${JSON.stringify(ending)}`),
      onRefused: error => note(error.message),
      onShutdown: () => {
        clearTimeout(watchdog)
        rss.end()
        const all = Object.keys(KERNEL_ATTACKS).length
        if (made === all) return resolve()
        reject(new Error(`The attackers' system ended after ${made} of ${all} attacks: ${last.slice(-5).join("\n")}`))
      },
    })
    const watchdog = setTimeout(() => {
      note(`not finished within ${DEADLINE_MS} ms`)
      broker.shutdown(false, "it takes too long")
    }, DEADLINE_MS)
    broker.boot("attacks", [])
  })
}

function findingOf(report: Extract<AttacksReport, { kind: "attack" }>, kept: string, daemonMiB: number): KernelFinding {
  const { name, expected } = KERNEL_ATTACKS[report.key]
  const { got, rightly, disturbed, items, longestMs } = report
  const problems = [
    ...(expected.test(got) ? [] : [`it should have got ${expected.source}`]),
    ...(rightly === "succeeds" ? [] : [`done rightly it got ${rightly}`]),
    ...[disturbed, kept].filter(problem => problem !== ""),
  ]
  return { attack: name, got, rightly, problem: problems.join("; "), bystanders: { items, longestMs }, daemonMiB }
}

/** How many descriptors of each kind this process has, and how many mappings of memfds. */
type Census = Readonly<Record<string, number>>

function census(): Census {
  const found: Record<string, number> = {}
  const count = (kind: string): void => {
    found[kind] = (found[kind] ?? 0) + 1
  }
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      count(`descriptors of ${kindOf(readlinkSync(`/proc/self/fd/${fd}`))}`)
    } catch {
      // The one that read the folder.
    }
  }
  for (const line of readFileSync("/proc/self/maps", "latin1").split("\n")) {
    const [, label] = / (\/memfd:\S+)/.exec(line) ?? []
    if (label !== undefined) count(`mappings of ${kindOf(label)}`)
  }
  return found
}

/** "socket:[123]" is a socket, "/memfd:frame-7 (deleted)" a frame. */
function kindOf(target: string): string {
  return target.replace(/ \(deleted\)$/, "").replace(/[:-]?\[?\d+\]?$/, "")
}

async function settledCensus(): Promise<Census> {
  await sleep(CLOSED_MS / 10)
  return census()
}

/** What there is more or less than before, in words, when it has had time to go; empty when all is as it was. */
async function keptSince(before: Census): Promise<string> {
  const deadline = performance.now() + CLOSED_MS
  for (;;) {
    const now = census()
    const kinds = new Set([...Object.keys(before), ...Object.keys(now)])
    const changed = [...kinds].filter(kind => (now[kind] ?? 0) !== (before[kind] ?? 0))
    if (changed.length === 0) return ""
    if (performance.now() > deadline) {
      const changes = changed.map(kind => `${now[kind] ?? 0} ${kind}, before ${before[kind] ?? 0}`)
      return `the daemon holds ${changes.join(", ")}`
    }
    await sleep(LOOK_INTERVAL_MS)
  }
}

/** The most resident memory of this process since it was made. */
class Peak {
  readonly #start = process.memoryUsage.rss()
  #most = this.#start
  readonly #timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS)

  growthMiB(): number {
    this.#look()
    return Math.round((this.#most - this.#start) / MIB)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#most = Math.max(this.#most, process.memoryUsage.rss())
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
