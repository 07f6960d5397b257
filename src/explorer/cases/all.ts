// all.ts: which cases there are: small ones, in which each mutant must be found; all that are complete; and larger ones, of
// which random schedules are run.

import type { Case } from "../explore.ts"
import { consumerClosesCase, consumersCase, producerClosesCase, producersCase } from "./closing.ts"
import { notificationCase } from "./notification.ts"
import { recordCase } from "./records.ts"
import { batchCase, ringCase, spinCase } from "./ring.ts"
import { ALL_SHAPES, LARGE_SHAPES } from "./shapes.ts"
import { recordWordsCase, wordsCase } from "./words.ts"

const FORMS = ["index", "slot"] as const

export const SMALL: readonly Case[] = [
  ...FORMS.map(wordsCase),
  recordWordsCase(),
  ...FORMS.flatMap(form => [ringCase(form, 1, 2), ringCase(form, 2, 2)]),
  ...FORMS.map(form => batchCase(form, 2, [2, 1])),
  recordCase([[24], [8]]),
  recordCase([[8], [1, 8]]),
  notificationCase([1, 1]),
  notificationCase([2, 0]),
  ...FORMS.flatMap(form => [producerClosesCase(form, 1, 1), consumerClosesCase(form, 1)]),
  ...FORMS.flatMap(form => [spinCase(form, 1, 2, false), spinCase(form, 1, 1, true)]),
]

export const CASES: readonly Case[] = [
  ...SMALL,
  ...FORMS.flatMap(form => [1, 2, 4].map(capacity => ringCase(form, capacity, 3))),
  ...FORMS.flatMap(form => [batchCase(form, 2, [2, 2]), batchCase(form, 4, [3, 2])]),
  ...FORMS.flatMap(form => [spinCase(form, 1, 2, true), spinCase(form, 2, 3, false), producerClosesCase(form, 1, 2)]),
  ...FORMS.flatMap(form => [consumersCase(form, 2), producersCase(form, 1)]),
  recordCase([[24], [8], [20]]),
  recordCase([[8, 1], [24]]),
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
