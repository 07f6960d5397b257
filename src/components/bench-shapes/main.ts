// main.ts: bench-shapes: the root task of one trial of one shape, and its children, as the arguments say.

import { ShapesArg, type ShapesReport, ShapesRole } from "../../protocols/bench-shapes.ts"
import { component } from "../runtime/index.ts"
import { receivers, senders } from "./ends.ts"
import { endsOf } from "./wiring.ts"

component(self => {
  const shape = self.argument(ShapesArg.shape)
  if (self.arguments.length > ShapesArg.role) {
    const roles = self.argument(ShapesArg.role) === ShapesRole.sender ? senders : receivers
    const run = roles[shape]
    if (run === undefined) throw new Error(`Shape is ${shape}, which must be 0 to ${roles.length - 1}`)
    self.report(run(self) ?? null)
    return
  }
  const children = endsOf(self, shape).map(({ role, capabilities, mapInto }) => {
    const child = self.spawnWithCaps({
      componentName: "bench-shapes",
      capabilities,
      arguments: [...self.arguments, role],
    })
    mapInto(child)
    return child
  })
  for (const child of children) child.start()
  for (const child of children) {
    const state = child.wait()
    if (state.kind !== "reported") throw new Error(`bench-shapes ended without a report: ${JSON.stringify(state)}`)
    if (state.report !== null) self.report(state.report as ShapesReport)
  }
})
