// all-done.ts: several things begun together, and one call when all of them are over.

/** Begins each at once. `done` is called when each has called back, and at once where there is none. */
export function allDone<T>(items: readonly T[], begin: (item: T, over: () => void) => void, done: () => void): void {
  let left = items.length
  if (left === 0) return done()
  for (const item of items) {
    begin(item, () => {
      left -= 1
      if (left === 0) done()
    })
  }
}
