// process-control.ts: the authority to create components. There is one, and the root task has it.

import { ObjectBase } from "./kernel-object.ts"

export class ProcessControl extends ObjectBase {
  readonly type = "ProcessControl"

  constructor() {
    super(undefined, 0)
  }
}
