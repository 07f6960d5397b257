// obey.ts: does what the case writes into the shared frame, one command after the other, and reports what came of it.

import { type Answer, type Command, HelperSlot } from "../../protocols/conformance.ts"
import { type Args, type Component, KernelError, PageFault, type SyscallName } from "../runtime/index.ts"

export function obey(self: Component): void {
  const go = self.notification(HelperSlot.go)
  const { address } = self.frame(HelperSlot.frame)
  while (typeof go.wait() === "bigint") {
    const command = read(self, address)
    if (command.do === "leave") return
    self.report(answerTo(self, command))
  }
}

function read({ vspace }: Component, address: number): Command {
  const bytes = vspace.u8.slice(address + 4, address + 4 + vspace.loadWord(address))
  return JSON.parse(new TextDecoder().decode(bytes)) as Command
}

function answerTo(self: Component, command: Command): Answer {
  try {
    const value = perform(self, command)
    return value === undefined ? { outcome: "ok" } : { outcome: "ok", value: plain(value) }
  } catch (error) {
    if (error instanceof KernelError) return { outcome: error.code }
    if (error instanceof PageFault) return { outcome: error.name }
    throw error
  }
}

function perform(self: Component, command: Command): unknown {
  switch (command.do) {
    case "call":
      return self.call(command.name as SyscallName, command.args as Args<SyscallName>)
    case "load":
      return self.vspace.loadWord(command.address)
    case "store":
      return self.vspace.storeWord(command.address, command.value)
    case "signal":
      return self.notification(command.slot).signal(BigInt(command.bits))
    case "poll":
      return self.notification(command.slot).poll()
    case "leave":
      return undefined
  }
}

/** JSON knows no bigints: they travel as text. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? String(item) : item)))
}
