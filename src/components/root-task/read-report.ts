// read-report.ts: takes a component's report as what it is: words of somebody who may be wrong, dead or lying.

import type { TaskReport } from "../../protocols/ipc-test.ts"
import type { ChildState } from "../runtime/index.ts"

/** A report that can be worked with; whatever is not one becomes a failed report that says why. */
export function readReport(name: string, state: ChildState): TaskReport {
  if (state.kind === "exited") return failedReport(`${name} exited with code ${state.code} and without a report`)
  if (state.kind === "killed") return failedReport(`${name} was ${state.detail}`)
  const { report } = state
  if (!isTaskReport(report)) return failedReport(`${name} reported something else than a task report`)
  // Its own word that all is well does not outweigh the failures it lists.
  const failures = report.failures.map(failure => `${name}: ${failure}`)
  return { ...report, failures, ok: report.ok && failures.length === 0 }
}

/** A report for who made none. */
export function failedReport(text: string): TaskReport {
  return { ok: false, failures: [text], items: 0, firstNs: 0, lastNs: 0, detail: "" }
}

function isTaskReport(value: unknown): value is TaskReport {
  if (typeof value !== "object" || value === null) return false
  const report = value as Record<string, unknown>
  const numbers = [report.items, report.firstNs, report.lastNs]
  return (
    typeof report.ok === "boolean" &&
    numbers.every(Number.isFinite) &&
    typeof report.detail === "string" &&
    Array.isArray(report.failures) &&
    report.failures.every(failure => typeof failure === "string") &&
    FIGURES.every(name => report[name] === undefined || isFigures(report[name]))
  )
}

/** Parts of a report that are numbers throughout, perhaps nested. */
const FIGURES = ["latency", "latencyEcho", "wake", "wakeEcho"]

function isFigures(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value)
  return typeof value === "object" && value !== null && Object.values(value).every(isFigures)
}
