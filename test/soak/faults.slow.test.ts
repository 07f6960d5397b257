// faults.slow.test.ts: what a soak does wrong on purpose is noticed, each kind by its own check.

import t from "tap"
import type { FAULTS } from "../fixtures/components/soak-root/board.ts"
import { judge } from "./judge.ts"
import { soak } from "./soak.ts"

const faults = [
  { fault: "none", wrong: /^$/ },
  { fault: "skip", wrong: /1 messages were lost/ },
  { fault: "repeat", wrong: /1 messages were duplicated/ },
  { fault: "garble", wrong: /1 messages were garbled/ },
  { fault: "leak", wrong: /memories more than at the beginning/ },
] as const satisfies readonly { fault: (typeof FAULTS)[number]; wrong: RegExp }[]

for (const { fault, wrong } of faults) {
  t.test(`a soak with the fault "${fault}"`, async t => {
    const run = await soak({
      seed: 7,
      seconds: fault === "leak" || fault === "none" ? 5 : 30,
      places: 2,
      every: 1,
      fault,
    })
    t.match(judge(run).wrong.join("\n"), wrong, run.output)
  })
}
