// main.ts: a hostile component: it goes past the runtime to its sockets, or takes all that there is. Argument 0 says how.

import { AttackerArg, type AttackerReport, AttackSlot, KERNEL_ATTACK_KEYS } from "../../protocols/attacks.ts"
import { component } from "../runtime/index.ts"
import { CONTROL_ATTACKS } from "./control.ts"
import { EXHAUSTION } from "./exhaustion.ts"
import { SOCKET_ATTACKS } from "./sockets.ts"

const ATTACKS = { ...CONTROL_ATTACKS, ...SOCKET_ATTACKS, ...EXHAUSTION }

component(self => {
  const key = KERNEL_ATTACK_KEYS[self.argument(AttackerArg.attack)]
  if (key === undefined) throw new Error(`There is no attack ${self.argument(AttackerArg.attack)}`)
  const report = (value: AttackerReport): void => self.report(value)
  const { rightly, attack } = ATTACKS[key]
  report({ rightly: outcomeOf(() => rightly(self)) })
  self.notification(AttackSlot.go).wait()
  report({ got: outcomeOf(() => attack(self)) })
  // What it took it keeps until it is ended.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})

function outcomeOf(work: () => string): string {
  try {
    return work()
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return code ?? message
  }
}
