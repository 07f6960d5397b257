// after-others.test.ts: long works take turns with everybody else, however many of them there are.

import t from "tap"
import { afterOthers } from "../../../src/kernel-daemon/broker/after-others.ts"

t.test("one piece in each turn of the event loop, those of several works in turns", async t => {
  const seen: string[] = []
  const PIECES = 3
  await new Promise<void>(resolve => {
    let left = 2 * PIECES
    const piece = (name: string, number: number) => () => {
      seen.push(`${name}${number}`)
      if (number < PIECES) afterOthers(true, piece(name, number + 1))
      if (--left === 0) resolve()
    }
    const turn = () => {
      seen.push("turn")
      if (left > 0) setImmediate(turn)
    }
    setImmediate(turn)
    afterOthers(false, piece("a", 1))
    afterOthers(true, piece("b", 1))
  })
  const works = seen.filter(each => each !== "turn")
  t.strictSame(works, ["a1", "b1", "a2", "b2", "a3", "b3"])
  t.notOk(/\d,[ab]/.test(String(seen)), `a turn between two: ${seen}`)
})
