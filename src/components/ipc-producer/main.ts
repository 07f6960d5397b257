// main.ts: ipc-producer, side A of the plan. Does the one task that its arguments name, and reports.

import { Arg, Task } from "../../protocols/ipc-test.ts"
import { openPlan } from "../plan/open-plan.ts"
import { component } from "../runtime/index.ts"
import { passCapabilities } from "./capabilities.ts"
import { measureLatency } from "./latency.ts"
import { produceItems } from "./ring-items.ts"
import { fillAndVerify } from "./shared-memory.ts"
import { signalAndEcho } from "./signalling.ts"
import { measureWakes } from "./wake.ts"

component(self => {
  const plan = openPlan(self)
  const task = self.argument(Arg.task)
  switch (task) {
    case Task.signalling:
      return self.report(signalAndEcho(plan))
    case Task.sharedMemory:
      return self.report(fillAndVerify(plan))
    case Task.ring:
      return self.report(produceItems(plan))
    case Task.latency:
      return self.report(measureLatency(plan))
    case Task.wake:
      return self.report(measureWakes(plan))
    case Task.capabilities:
      return self.report(passCapabilities(plan))
    default:
      throw new RangeError(`Argument task is ${task}, known are ${Object.values(Task).join(", ")}`)
  }
})
