// main.ts: the kernel daemon's process. Wires kernel, broker and link together; decides nothing itself.

import { readFileSync } from "node:fs"
import type { ProfileName } from "./abi/profile.ts"
import { Broker } from "./broker/broker.ts"
import { chooseConfinement } from "./broker/confinement.ts"
import { ControlLink } from "./broker/control-link.ts"
import { describeHoldings } from "./broker/holdings.ts"
import { Launch } from "./broker/launch.ts"
import { ComponentFolder, ringWasmPath } from "./broker/programs.ts"
import { RecentEvents } from "./broker/recent-events.ts"
import { StandstillWatch } from "./broker/standstill.ts"
import { describeWaits } from "./broker/wait-graph.ts"
import { syscallNumberOf } from "./invocation/decode.ts"
import { Kernel } from "./invocation/kernel.ts"
import { KernelState } from "./invocation/state.ts"

const [profile, graceMs, components] = process.argv.slice(2) as [ProfileName, string, string?]
const confinement = chooseConfinement()
const launch = new Launch(confinement.kind, Number(graceMs))
const kernel = new Kernel(new KernelState({ confines: confinement.kind !== "none", profile }))
const link = new ControlLink(
  order => {
    if ("boot" in order) broker.boot(order.boot.name, order.boot.arguments)
    else {
      const lines = [...describeWaits(broker.sights), ...describeHoldings(broker.sights)]
      link.send({ event: "waits", lines })
    }
  },
  () => broker.shutdown(false, "whoever started the daemon is gone"),
  () => broker.releaseAll(),
)

const utf8 = new TextDecoder()
const recent = new RecentEvents()
const broker = new Broker(kernel, new ComponentFolder(components), launch, readFileSync(ringWasmPath), {
  onSpawned: (component, name, osPid, confined) => {
    recent.note(component, "was spawned")
    link.send({ event: "spawned", component, name, osPid, confined })
  },
  onCall: (component, message) => {
    recent.note(component, syscallNumberOf(message))
    watch.note()
  },
  onPrint: (component, name, lines) => {
    link.send({ event: "print", component, name, lines })
    if (link.isCongested) broker.hold(component)
  },
  onReport: report => link.send({ event: "report", text: utf8.decode(report) }),
  onEnded: (component, name, ending) => {
    const text = kernel.describeEnding(component, ending)
    recent.note(component, text)
    link.send({ event: "ended", component, name, ending, text })
  },
  onRefused: error => link.send({ event: "refused", message: error.message }),
  onShutdown: ok => {
    link.send({ event: "shutdown", ok })
    link.end(() => process.exit(ok ? 0 : 1))
  },
})
const watch = new StandstillWatch(broker.sights, lines => {
  const events = recent.describe(component => kernel.componentName(component))
  link.send({ event: "standstill", lines: [...lines, "what happened last:", ...events] })
})

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => broker.shutdown(false, `the daemon got ${signal}`))
}
link.send({ event: "ready", osPid: process.pid, confinement, profile })
