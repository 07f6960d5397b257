// bells.ts: a thread's ear for the bells that wake it out of its event loop. One descriptor for all of them.

import { type EndWatch, native } from "../../../native/index.ts"

const BATCH = 64

const rung = new Uint32Array(BATCH)
const listeners = new Map<number, () => void>()
let watch: EndWatch | undefined
let holds = 0

/**
 * From now on `onRing` is called on this thread's event loop whenever the bell at `address` has rung, or was taken away.
 * @returns false when none hangs there
 */
export function listen(address: number, onRing: () => void): boolean {
  if (watch === undefined) {
    watch = native.watchReadable(native.bellSetFd(), collect)
    if (holds === 0) watch.unref()
  }
  if (!native.listenToBell(address)) return false
  listeners.set(address, onRing)
  return true
}

export function ignore(address: number): void {
  listeners.delete(address)
}

/** Keeps the event loop alive until it is released as often. */
export function hold(): void {
  holds += 1
  if (holds === 1) watch?.ref()
}

export function release(): void {
  holds -= 1
  if (holds === 0) watch?.unref()
}

function collect(): void {
  for (;;) {
    const count = native.collectBells(rung)
    // Copied: who is called may wait again, and be called from within a further batch.
    for (const address of rung.slice(0, count)) listeners.get(address)?.()
    if (count < BATCH) return
  }
}
