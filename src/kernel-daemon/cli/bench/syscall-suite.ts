// syscall-suite.ts: the null syscall beside an echo over a Unix socket, on one processor and on two.

import type { Latency } from "../../../protocols/bench-caps.ts"
import { measureInPart } from "./caps-suite-part.ts"
import { type Placement, placements } from "./caps-suite-placement.ts"
import { ECHO_RATIO_LIMIT, nullSyscallTrial, SYSCALL_ROUNDS } from "./caps-suite-system.ts"
import { judged } from "./figure.ts"
import type { Run } from "./suite.ts"

const SUITE = "syscall"

/** @throws {Error} a session failed */
export async function syscallSuite(run: Run): Promise<void> {
  for (const placement of placements()) await measure(run, placement)
}

async function measure(run: Run, placement: Placement): Promise<void> {
  const ours: Latency[] = []
  const echo: Latency[] = []
  for (let pair = 0; pair < run.pairs && performance.now() < run.deadlineMs; pair++) {
    run.progress(`${placement.name}: pair ${pair + 1} of ${run.pairs}`)
    ours.push(await nullSyscallTrial(placement))
    echo.push((await measureInPart<[Latency, number]>("echo", [SYSCALL_ROUNDS, ...placement.cpus]))[0])
  }
  for (const which of ["p50", "p99"] as const) {
    run.tell(
      judged(
        run,
        {
          ...{
            suite: SUITE,
            key: `null-${which}, ${placement.name}`,
            unit: "us",
            moreIsBetter: false,
            pick: () => null,
          },
          title: `null syscall, ${which}, ${placement.name}, beside a Unix-socket echo`,
          ...(which === "p50" ? { limit: { of: "ratio", atMost: ECHO_RATIO_LIMIT } } : {}),
        },
        {
          ...{ by: "kaal-ipc", against: "Unix-socket echo", probeNs: Number.NaN },
          mine: ours.map(trial => trial[which]),
          others: echo.map(trial => trial[which]),
        },
      ),
    )
  }
}
