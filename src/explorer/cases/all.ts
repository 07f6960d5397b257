// all.ts: which cases there are: small ones, in which each mutant must be found; all that are complete; and larger ones, of
// which random schedules are run.

import type { Case } from "../explore.ts"
import { consumerClosesCase, consumersCase, producerClosesCase, producersCase } from "./closing.ts"
import { LOOKS_FIRST } from "./how.ts"
import { inPlaceCase } from "./in-place.ts"
import { laneCase } from "./lanes.ts"
import { notificationCase } from "./notification.ts"
import { recordCase } from "./records.ts"
import { batchCase, ringCase, spinCase } from "./ring.ts"
import { ALL_SHAPES, LARGE_SHAPES, SMALL_SHAPES } from "./shapes.ts"
import { recordWordsCases, wordsCases } from "./words.ts"

const FORMS = ["index", "slot"] as const

export const SMALL: readonly Case[] = [
  ...FORMS.flatMap(wordsCases),
  ...recordWordsCases(),
  ...FORMS.flatMap(form => [ringCase(form, 1, 2), ringCase(form, 2, 2)]),
  ...FORMS.flatMap(form => [batchCase(form, 4, [1, 2]), inPlaceCase(form)]),
  batchCase("index", 8, [1, 8]),
  batchCase("index", 2, [1, 2]),
  recordCase([[24], [24], [8]], 1),
  recordCase([[8], [1, 8]]),
  recordCase([[8, 1], [24]]),
  notificationCase([1, 1]),
  notificationCase([2, 0]),
  laneCase([1], false),
  laneCase([1, 2], true),
  ...FORMS.flatMap(form => [producerClosesCase(form, 1, 1), consumerClosesCase(form, 1)]),
  ...FORMS.flatMap(form => [spinCase(form, 1, 2, false), spinCase(form, 1, 1, true)]),
  ...FORMS.map(form => consumersCase(form, 2)),
]

/** In which each mutant must be found that is not one of merge and broadcast. */
export const FOR_MUTANTS: readonly Case[] = [
  ...SMALL,
  ...SMALL_SHAPES.filter(({ name }) => name.startsWith("event loop")),
]

export const CASES: readonly Case[] = [
  ...SMALL,
  ...FORMS.flatMap(form => [1, 2, 4].map(capacity => ringCase(form, capacity, 3))),
  ...FORMS.flatMap(form => [
    ...(form === "index" ? [] : [batchCase(form, 2, [1, 2])]),
    batchCase(form, 2, [2, 1]),
    batchCase(form, 4, [3, 2]),
  ]),
  ...FORMS.flatMap(form => [spinCase(form, 1, 2, true), spinCase(form, 2, 3, false), producerClosesCase(form, 1, 2)]),
  ...FORMS.map(form => producersCase(form, 1)),
  recordCase([[24], [24], [8]]),
  notificationCase([1, 1], LOOKS_FIRST),
  notificationCase([2, 1]),
  ...ALL_SHAPES,
]

export const LARGE: readonly Case[] = [
  ...FORMS.flatMap(form => [1, 4, 8].map(capacity => ringCase(form, capacity, 20))),
  ...FORMS.flatMap(form => [batchCase(form, 8, [3, 1, 8, 5, 2, 7]), spinCase(form, 4, 6, true)]),
  ...FORMS.flatMap(form => [consumersCase(form, 4), producersCase(form, 2)]),
  recordCase([[24], [1], [8, 1], [8], [20], [9], [24], [1, 1], [16]]),
  notificationCase([6, 5]),
  ...LARGE_SHAPES,
]
