// open-plan.ts: what a component of KaaL's plan finds when it starts: `[shared_mem, 102, 103]` as handles.

import { ANY_CPU, Arg, PlanSlot } from "../../protocols/ipc-test.ts"
import type { Component, FrameMapping, Notification } from "../runtime/index.ts"

export interface Plan {
  readonly self: Component
  readonly frame: FrameMapping
  /** The producer signals it, the consumer waits on it. */
  readonly toConsumer: Notification
  /** The consumer signals it, the producer waits on it. */
  readonly toProducer: Notification
  /** Tells the consumer that a step is prepared. */
  readonly go: Notification
  readonly slots: number
  readonly bytes: number
  readonly items: number
}

/** Pins the component where its arguments ask for it, and opens the handles that they name. */
export function openPlan(self: Component): Plan {
  const cpu = self.argument(Arg.cpu)
  if (cpu !== ANY_CPU) self.pin(cpu)
  return {
    self,
    frame: self.frame(self.argument(Arg.sharedMemory)),
    toConsumer: self.notification(self.argument(Arg.toConsumer)),
    toProducer: self.notification(self.argument(Arg.toProducer)),
    go: self.notification(PlanSlot.go),
    slots: self.argument(Arg.slots),
    bytes: self.argument(Arg.bytes),
    items: self.argument(Arg.items),
  }
}
