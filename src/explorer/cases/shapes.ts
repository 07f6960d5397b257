// shapes.ts: the cases of merge, broadcast, policies and event loop. The smaller ones are run against every mutant.

import type { ConsumerPolicy } from "../../ring/shapes/broadcast-place.ts"
import type { Case } from "../explore.ts"
import { type BroadcastCaseConsumer, broadcastCase, lateConsumerCase } from "./broadcast.ts"
import type { How } from "./how.ts"
import { mergeConsumersCase, producersLeaveCase } from "./leaving.ts"
import { notificationLoopCase, ringLoopCase } from "./loop.ts"
import { mergeCase } from "./merge.ts"
import { policyCase, policyConsumersCase } from "./policy.ts"

const POLICIES = ["block", "drop-oldest", "disconnect"] as const
const blocking: How = "blocking"
const looking = "looking"
const inLoop = { form: "index", capacity: 1, messages: 2, producer: blocking, consumer: blocking } as const
const givenUp: readonly How[] = [
  "abandoned, then blocking",
  "abandoned, then loop",
  "abandoned after a turn, then blocking",
]

function of(policy: ConsumerPolicy, ...hows: readonly (How | "looking")[]): BroadcastCaseConsumer[] {
  return hows.map(how => ({ policy, how }))
}

/** What is too large to be complete. */
function switching(mostSwitches: number, explored: Case): Case {
  return { ...explored, mostSwitches }
}

export const SMALL_SHAPES: readonly Case[] = [
  mergeCase({ form: "index", capacity: 1, messages: [1, 1] }),
  mergeCase({ form: "slot", capacity: 1, messages: [2, 0] }),
  mergeCase({ form: "index", capacity: 2, messages: [2, 2], fair: true, how: looking }),
  mergeCase({ form: "index", capacity: 4, messages: [3, 1], fair: true, budget: 2, how: looking }),
  mergeCase({ form: "index", capacity: 1, messages: [1, 1], how: "loop" }),
  ...POLICIES.map(policy => broadcastCase(of(policy, blocking), 1, 2)),
  ...POLICIES.map(policy => lateConsumerCase(policy, 1, 2)),
  broadcastCase(of("drop-oldest", looking), 2, 2),
  broadcastCase(of("block", blocking, blocking), 1, 1),
  broadcastCase([...of("block", looking), ...of("disconnect", looking)], 1, 2),
  broadcastCase(of("drop-oldest", "loop"), 1, 2),
  ringLoopCase({ ...inLoop, consumer: "loop" }),
  ringLoopCase({ ...inLoop, producer: "loop" }),
  ringLoopCase({ ...inLoop, consumer: "abandoned, then loop" }),
  notificationLoopCase([1, 1], "loop"),
  policyCase("drop-newest", 1, 2),
  policyCase("drop-oldest", 1, 1),
  producersLeaveCase(0, "a closed lane", blocking),
  producersLeaveCase(0, "a lane nobody takes", "loop"),
  mergeConsumersCase([1, 1]),
  ringLoopCase({ ...inLoop, consumer: "loop", looksFirst: true }),
  ringLoopCase({ ...inLoop, producer: "loop", looksFirst: true }),
  ringLoopCase({ ...inLoop, consumer: "loop, late" }),
]

export const ALL_SHAPES: readonly Case[] = [
  ...SMALL_SHAPES,
  mergeCase({ form: "slot", capacity: 2, messages: [1, 1] }),
  mergeCase({ form: "index", capacity: 2, messages: [2, 1], fair: true }),
  broadcastCase(of("block", blocking, looking), 1, 2),
  broadcastCase([...of("drop-oldest", blocking), ...of("block", looking)], 2, 2),
  broadcastCase(of("drop-oldest", looking, looking), 1, 2),
  ...givenUp.flatMap(how => [
    ...(how === "abandoned, then loop" ? [] : [ringLoopCase({ ...inLoop, consumer: how })]),
    ringLoopCase({ ...inLoop, form: "slot", producer: how }),
    notificationLoopCase([1, 1], how),
  ]),
  // Given up while it looks: what follows does not depend on how it was looked.
  ringLoopCase({ ...inLoop, consumer: "abandoned after a turn, then blocking", looksFirst: true }),
  notificationLoopCase([1, 1], "loop", true),
  mergeCase({ form: "index", capacity: 1, messages: [1, 1], looksFirst: true }),
  mergeCase({ form: "index", capacity: 1, messages: [1, 1], how: "loop", looksFirst: true }),
  ...POLICIES.map(policy => broadcastCase(of(policy, blocking), 1, 2, true)),
  ...POLICIES.map(policy => broadcastCase(of(policy, "loop"), 1, 2, true)),
  ...POLICIES.map(policy => switching(2, broadcastCase(of(policy, blocking, blocking), 1, 2))),
  policyCase("drop-oldest", 1, 2),
  policyConsumersCase("drop-oldest", 1, 2),
  switching(4, producersLeaveCase(1, "a lane nobody takes", blocking)),
  producersLeaveCase(0, "a lane nobody takes", blocking),
  producersLeaveCase(0, "a closed lane", "loop"),
  switching(3, producersLeaveCase(0, "a lane of 1 message", blocking)),
  switching(3, producersLeaveCase(0, "a lane of 1 message", "loop")),
  mergeConsumersCase([2, 0]),
]

/** Of these random schedules are run. */
export const LARGE_SHAPES: readonly Case[] = [
  mergeCase({ form: "index", capacity: 1, messages: [6, 5] }),
  mergeCase({ form: "index", capacity: 2, messages: [5, 5], budget: 2, fair: true, how: "loop" }),
  ...POLICIES.flatMap(policy => [1, 2].map(capacity => broadcastCase(of(policy, blocking, blocking), capacity, 8))),
  broadcastCase([...of("block", "loop"), ...of("drop-oldest", blocking)], 2, 8),
  policyCase("drop-oldest", 2, 8),
  ringLoopCase({ ...inLoop, messages: 8, producer: "loop", consumer: "abandoned, then loop" }),
  notificationLoopCase([4, 4], "abandoned, then loop"),
]
