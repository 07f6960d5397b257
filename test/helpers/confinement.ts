// confinement.ts: which ways of confinement can be tried here.

import { closeSync, openSync } from "node:fs"
import { startConfined } from "../../src/kernel-daemon/broker/confinement-run.ts"

/** For a test's `skip`: why user ids cannot be tried, false when they can. */
export const noUserIds: string | false = process.getuid?.() !== 0 && "only root gives user ids"

/** For a test's `skip`: why namespaces cannot be tried, false when they can. */
export const noNamespaces: string | false = namespaceRefusal()

function namespaceRefusal(): string | false {
  const shell = openSync("/bin/sh", "r")
  try {
    const { status, output } = startConfined("namespace", shell, ["-c", "exit 0"]).end()
    return status.code !== 0 && `no namespaces: ${output}`
  } catch (error) {
    return `no namespaces: ${(error as Error).message}`
  } finally {
    closeSync(shell)
  }
}
