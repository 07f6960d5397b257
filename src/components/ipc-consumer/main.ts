// main.ts: ipc-consumer, side B of the plan. Does the one task that its arguments name, and reports.

import { Arg, Task } from "../../protocols/ipc-test.ts"
import { openPlan } from "../plan/open-plan.ts"
import { component } from "../runtime/index.ts"
import { useCapabilities } from "./capabilities.ts"
import { echoLatency } from "./latency.ts"
import { consumeItems } from "./ring-items.ts"
import { verifyAndFill } from "./shared-memory.ts"
import { waitAndEcho } from "./signalling.ts"
import { answerWakes } from "./wake.ts"

component(self => {
  const plan = openPlan(self)
  const task = self.argument(Arg.task)
  switch (task) {
    case Task.signalling:
      return self.report(waitAndEcho(plan))
    case Task.sharedMemory:
      return self.report(verifyAndFill(plan))
    case Task.ring:
      return self.report(consumeItems(plan))
    case Task.latency:
      return self.report(echoLatency(plan))
    case Task.wake:
      return self.report(answerWakes(plan))
    case Task.capabilities:
      return self.report(useCapabilities(plan))
    default:
      throw new RangeError(`Argument task is ${task}, known are ${Object.values(Task).join(", ")}`)
  }
})
