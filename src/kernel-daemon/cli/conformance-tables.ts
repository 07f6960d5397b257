// conformance-tables.ts: what `kaal conformance` shows: the cases of one profile, and in which points two profiles differ.

import Table from "cli-table3"
import type { CaseReport, Seen } from "../../protocols/conformance.ts"
import type { ProfileName } from "../abi/profile.ts"
import { paint } from "./step-list.ts"

/** All cases in one profile. */
export interface ProfileRun {
  readonly profile: ProfileName
  /** The root task has exited in order. */
  readonly ended: boolean
  readonly cases: readonly CaseReport[]
  /** Why the session ended early, if it did. */
  readonly reason: string | undefined
}

/** One point in which a case has seen different things. */
export interface Difference {
  readonly case: string
  readonly by: string
  readonly what: string
  readonly strict: string
  readonly kaal: string
}

const PLAIN = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }
const UNSTYLED = { head: [], border: [] }

export function showCases({ cases, reason }: ProfileRun, out: NodeJS.WritableStream): void {
  const table = new Table({
    head: ["", "case", "ms", "shows that"],
    colWidths: [3, 16, 7, 92],
    colAligns: ["left", "left", "right", "left"],
    wordWrap: true,
    chars: PLAIN,
    style: UNSTYLED,
  })
  for (const { ok, name, ms, shows } of cases) {
    table.push([ok ? paint("green", "✓") : paint("red", "✗"), name, ms.toFixed(0), shows])
  }
  out.write(`${table.toString()}\n`)
  for (const { name, failure } of cases) if (failure !== "") out.write(`${paint("red", "✗")} ${name}: ${failure}\n`)
  if (reason !== undefined) out.write(`${paint("red", "✗")} ${reason}\n`)
}

/** What the same case has seen differently in the two profiles; "not seen" where it did not come that far in one. */
export function differencesOf(runs: readonly ProfileRun[]): Difference[] {
  const seenIn = (profile: ProfileName) =>
    new Map(
      runs
        .filter(run => run.profile === profile)
        .flatMap(run => run.cases)
        .flatMap(({ name, seen }) => seen.map(each => [keyOf(name, each), { name, ...each }] as const)),
    )
  const [strict, kaal] = [seenIn("strict"), seenIn("kaal")]
  const found: Difference[] = []
  for (const [key, { name, by, what }] of new Map([...strict, ...kaal])) {
    const [inStrict, inKaal] = [strict.get(key)?.got ?? "not seen", kaal.get(key)?.got ?? "not seen"]
    if (inStrict !== inKaal) found.push({ case: name, by, what, strict: inStrict, kaal: inKaal })
  }
  return found
}

export function showDifferences(differences: readonly Difference[], out: NodeJS.WritableStream): void {
  const table = new Table({
    head: ["case", "switch", "what", "strict", "kaal"],
    colWidths: [16, 24, 48, 18, 18],
    wordWrap: true,
    chars: PLAIN,
    style: UNSTYLED,
  })
  for (const { case: name, by, what, strict, kaal } of differences) table.push([name, by, what, strict, kaal])
  out.write(`${table.toString()}\n`)
}

function keyOf(name: string, { by, what }: Seen): string {
  return [name, by, what].join("\n")
}
