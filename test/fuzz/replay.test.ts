// replay.test.ts: the corpora again, and a target of its own in which the fuzzer has to find what is wrong.

import t from "tap"
import { readCorpus } from "./corpus.ts"
import { fuzz, inTime } from "./engine.ts"
import { lockTarget } from "./lock.ts"
import { TARGETS } from "./targets.ts"

for (const target of TARGETS) {
  t.test(`${target.name}: nothing but refusals of the contract, and in time`, async t => {
    const inputs = [...readCorpus(target.name), ...target.seeds()]
    t.ok(readCorpus(target.name).length > 0, "there is a corpus")
    for (const input of inputs) inTime(() => target.run(input))
  })
}

t.test("what only coverage leads to is found, and so is what does not end", async t => {
  const { finding, runs } = fuzz(lockTarget, [], 1, performance.now() + 20_000)
  t.match(finding, { error: { name: "Finding", message: "open" } }, `after ${runs} runs`)
  t.same(finding?.input.subarray(0, 3), Buffer.from("Kal"))
  const loops = (): void => {
    for (;;);
  }
  t.throws(() => inTime(loops, 200), { name: "Finding", message: /it takes more than/ })
})
