// main.ts: conformance-helper, the other components of a conformance case. Does the one task that its arguments name.

import { HelperArg, HelperTask } from "../../protocols/conformance.ts"
import { component } from "../runtime/index.ts"
import { awaitGate, consumeItems, contend, produceItems } from "./contender.ts"
import { count } from "./count.ts"
import { obey } from "./obey.ts"
import { watch } from "./watch.ts"

component(self => {
  const task = self.argument(HelperArg.task)
  switch (task) {
    case HelperTask.obey:
      return obey(self)
    case HelperTask.watch:
      return watch(self)
    case HelperTask.count:
      return count(self)
    case HelperTask.contend:
      return contend(self)
    case HelperTask.produce:
      return produceItems(self)
    case HelperTask.consume:
      return consumeItems(self)
    case HelperTask.await:
      return awaitGate(self)
    default:
      throw new RangeError(`Argument task is ${task}, known are ${Object.values(HelperTask).join(", ")}`)
  }
})
