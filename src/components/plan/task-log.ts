// task-log.ts: collects what one component saw of a task, and makes its report.

import type { TaskReport } from "../../protocols/ipc-test.ts"
import { monotonicNs } from "../runtime/index.ts"

/** More failures than these say nothing new, and a report has a limit. */
const MAX_FAILURES = 10

export class TaskLog {
  readonly #failures: string[] = []
  readonly #firstNs = monotonicNs()
  #items = 0

  /** Counts one thing as checked; anything but equality is a failure named `what`. */
  expect(what: string, actual: unknown, expected: unknown): void {
    this.#items++
    if (actual !== expected) this.fail(`${what}: got ${show(actual)}, expected ${show(expected)}`)
  }

  fail(text: string): void {
    if (this.#failures.length < MAX_FAILURES) this.#failures.push(text)
  }

  get failed(): boolean {
    return this.#failures.length > 0
  }

  countItems(count: number): void {
    this.#items += count
  }

  report(detail: string, extra: Partial<TaskReport> = {}): TaskReport {
    return {
      ok: !this.failed,
      failures: this.#failures,
      items: this.#items,
      firstNs: this.#firstNs,
      lastNs: monotonicNs(),
      detail,
      ...extra,
    }
  }
}

function show(value: unknown): string {
  return typeof value === "bigint" ? `0x${value.toString(16)}` : String(value)
}
