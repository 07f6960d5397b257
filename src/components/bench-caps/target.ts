// target.ts: role target: is mapped into and sleeps until it is killed.

import type { Component } from "../runtime/index.ts"
import { GO_ON_SLOT } from "./slots.ts"

export function target(self: Component): void {
  self.notification(GO_ON_SLOT).wait()
}
