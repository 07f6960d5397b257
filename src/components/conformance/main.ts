// main.ts: conformance. Without an argument it is the suite, which starts itself once more for each case; with one it is
// that case.

import { CaseArg } from "../../protocols/conformance.ts"
import { component } from "../runtime/index.ts"
import { runCase } from "./run-case.ts"
import { runSuite } from "./suite.ts"

component(self => {
  if (self.arguments.length === 0) runSuite(self)
  else runCase(self, self.argument(CaseArg.index))
})
