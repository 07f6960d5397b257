// shapes.ts: the cases of merge, broadcast and event loop. The smaller ones are run against every mutant.

import type { Case } from "../explore.ts"
import { broadcastCase } from "./broadcast.ts"
import type { How } from "./how.ts"
import { notificationLoopCase, ringLoopCase } from "./loop.ts"
import { mergeCase } from "./merge.ts"

const blocking: How = "blocking"
const inLoop = { form: "index", capacity: 1, messages: 2, producer: blocking, consumer: blocking } as const
const givenUp: readonly How[] = [
  "abandoned, then blocking",
  "abandoned, then loop",
  "abandoned after a turn, then blocking",
]

export const SMALL_SHAPES: readonly Case[] = [
  mergeCase({ form: "index", capacity: 1, messages: [1, 1] }),
  mergeCase({ form: "slot", capacity: 2, messages: [1, 1] }),
  broadcastCase(["block"], 1, 2),
  broadcastCase(["drop-oldest"], 1, 2),
  broadcastCase(["disconnect"], 1, 2),
  ringLoopCase({ ...inLoop, consumer: "loop" }),
  ringLoopCase({ ...inLoop, producer: "loop" }),
  notificationLoopCase([1, 1], "loop"),
]

export const ALL_SHAPES: readonly Case[] = [
  ...SMALL_SHAPES,
  mergeCase({ form: "index", capacity: 2, messages: [2, 1], fair: true }),
  ...givenUp.flatMap(how => [
    ringLoopCase({ ...inLoop, consumer: how }),
    ringLoopCase({ ...inLoop, form: "slot", producer: how }),
    notificationLoopCase([1, 1], how),
  ]),
]
