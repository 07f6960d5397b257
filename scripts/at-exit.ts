// at-exit.ts: what is undone when this process ends, whether by itself or by a signal that asks it to.

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const
const undos = new Set<() => void>()

/**
 * Has `undo`, which must not wait for the event loop, called at the end of the process. Nothing helps against SIGKILL.
 * @returns takes it back: what was to be undone is undone
 */
export function atExit(undo: () => void): () => void {
  if (process.listenerCount("exit", undoAll) === 0) {
    process.on("exit", undoAll)
    for (const signal of SIGNALS) process.on(signal, () => process.exit(1))
  }
  undos.add(undo)
  return () => undos.delete(undo)
}

function undoAll(): void {
  for (const undo of undos) undo()
}
