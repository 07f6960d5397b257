// targets.ts: all that is fuzzed.

import type { Target } from "./target.ts"
import { kernelTarget, replyTarget, requestTarget } from "./targets/calls.ts"
import { memoryTarget, valueTarget } from "./targets/memory.ts"

export const TARGETS: readonly Target[] = [requestTarget, replyTarget, kernelTarget, memoryTarget, valueTarget]
