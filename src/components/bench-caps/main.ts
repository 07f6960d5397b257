// main.ts: bench-caps: measures calls that concern capabilities, in one of five roles (protocols/bench-caps.ts).

import { BenchCapsArg, BenchCapsRole } from "../../protocols/bench-caps.ts"
import { type Component, component } from "../runtime/index.ts"
import { bystander } from "./bystander.ts"
import { crowd } from "./crowd.ts"
import { calls, latency } from "./latency.ts"
import { target } from "./target.ts"

const roles: Readonly<Record<number, (self: Component) => void>> = {
  [BenchCapsRole.latency]: latency,
  [BenchCapsRole.crowd]: crowd,
  [BenchCapsRole.target]: target,
  [BenchCapsRole.bystander]: bystander,
  [BenchCapsRole.calls]: calls,
}

component(self => {
  const role = self.argument(BenchCapsArg.role)
  const play = roles[role]
  if (play === undefined) throw new RangeError(`Argument role is ${role}, allowed are 0 to 4`)
  self.pin(self.argument(BenchCapsArg.cpu))
  play(self)
})
