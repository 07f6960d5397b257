// seal.test.ts: a frame that is sealed cannot be written anew by who has a way to its memfd; and a channel whose frames are
// sealed gets other ends when its own have died, and loses and repeats nothing.

import t from "tap"
import { hostileTree, missing, runIn, WAYS, type Way } from "./raw-syscall/tree.ts"

const tree = await hostileTree(t, ["sealed-writer", "renewed-root", "renewed-often", "renewed-end"])
const [none] = WAYS.filter(({ way }) => way === "none") as [Way]
const isRoot = process.getuid?.() === 0
const skip =
  missing(none) ||
  (!isRoot && "an ordinary user opens no mapping through /proc/self/map_files anyway") ||
  (process.arch !== "x64" && "the numbers are those of x86-64")

t.test("Linux refuses a new writer, its own one included, exactly where the frame is sealed", { skip }, async t => {
  const open = { write: "ok", mapToWrite: "ok", mapToRead: "ok" }
  const sealed = { write: "EPERM", mapToWrite: "errno 1", mapToRead: "ok" }
  t.same(await runIn(tree, "sealed-writer", none), {
    open: { daemon: open, ownMapping: open, holds: 9 },
    sealed: { daemon: sealed, ownMapping: sealed, holds: 8 },
  })
})

for (const way of WAYS) {
  const seals = way.way === "namespace" || way.way === "filter"
  t.test(
    `${way.way}: ends of a channel that die are replaced, each message comes once`,
    { skip: missing(way) },
    async t => {
      const { secondWriter, taken, last } = (await runIn(tree, "renewed-root", way)) as Record<string, unknown>
      t.match(secondWriter, seals ? /^frame \d+ is sealed/ : "mapped")
      t.same(
        taken,
        Array.from({ length: 12 }, (_, index) => index),
      )
      t.same(last, [12, 13, 14, 15])
    },
  )
}

const from = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index)

for (const way of WAYS) {
  t.test(
    `${way.way}: ends that die as soon as they are there, and frames renewed many times at once, cost no message`,
    { skip: missing(way) },
    async t => {
      const { taken, slowestMs, own, others } = (await runIn(tree, "renewed-often", way)) as {
        taken: number[][]
        slowestMs: number
        own: number
        others: [producerFrame: number, consumerFrame: number]
      }
      t.comment(`20 renewals took ${slowestMs.toFixed(1)} ms at most; ${own} and ${others[0]} of 50 at the same time`)
      t.same(taken, [from(0, 10), from(10, 4), from(14, 8), from(22, 8), from(30, 5)])
      t.ok(own > 0 && others[0] > 0, "both have renewed it")
      t.equal(others[1], 0, "a frame whose writer lives is not renewed")
    },
  )
}
