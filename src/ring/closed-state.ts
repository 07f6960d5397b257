// closed-state.ts: what the hot code sees of an end that was closed: empty, and stopped. So that nothing is asked before.

import {
  END_BYTES,
  END_CAPACITY,
  END_INDEX_WORD,
  END_PEER_CLOSED_WORD,
  END_PEER_INDEX_WORD,
  END_PEER_SLEEP_WORD,
  END_PROGRESS_WORD,
  END_STATUS_WORD,
  LINE_BYTES,
  STATUS_CLOSED,
} from "./layout.ts"
import type { VSpace } from "./vspace.ts"

const states = new WeakMap<VSpace, number>()

/** Address of the private state that all closed ends of a VSpace share. */
export function closedState(vspace: VSpace): number {
  const known = states.get(vspace)
  if (known !== undefined) return known
  const state = vspace.allocatePrivate(END_BYTES, LINE_BYTES)
  const words = vspace.allocatePrivate(LINE_BYTES, LINE_BYTES)
  vspace.u32[words / 4] = STATUS_CLOSED
  vspace.u32[(state + END_STATUS_WORD) / 4] = words
  vspace.u32[(state + END_CAPACITY) / 4] = 1
  for (const word of [
    END_INDEX_WORD,
    END_PEER_INDEX_WORD,
    END_PEER_SLEEP_WORD,
    END_PEER_CLOSED_WORD,
    END_PROGRESS_WORD,
  ]) {
    vspace.u32[(state + word) / 4] = words + 64
  }
  states.set(vspace, state)
  return state
}
