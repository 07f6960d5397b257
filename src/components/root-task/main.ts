// main.ts: root-task, the plan's orchestration. Holds the initial capabilities, runs every test, reports as it goes.

import { RootArg, type RootReport } from "../../protocols/ipc-test.ts"
import { component } from "../runtime/index.ts"
import { criteriaOf } from "./criteria.ts"
import { measure } from "./latency.ts"
import { Steps } from "./steps.ts"
import { runTests } from "./tests.ts"

component(self => {
  const options = {
    items: self.argument(RootArg.items),
    slots: self.argument(RootArg.slots),
    bytes: self.argument(RootArg.bytes),
    pin: self.argument(RootArg.pin) === 1,
  }
  const steps = new Steps(self)
  // The plan's slots: memory in 100, one slot kept free in 101, the two notifications in 102 and 103.
  self.call("cap_allocate", {})
  const tests = runTests(self, options, steps)
  const latency = tests.every(test => test.result.ok) ? measure(self, options, steps) : null
  const criteria = criteriaOf(tests, latency)
  const ok = tests.every(test => test.result.ok) && criteria.every(criterion => criterion.ok)
  const report: RootReport = { kind: "result", ok, tests: tests.map(test => test.result), criteria, latency }
  self.report(report)
})
