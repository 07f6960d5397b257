// index.ts: the hot code's exports. AssemblyScript: compiled by scripts/build-wasm.ts, typed for TypeScript by hot.ts.
//
// Rules that keep a page fault an exception (scripts/check-wasm.ts): shared words are touched by atomic
// load, store and cmpxchg only; plain and v128 accesses move payload and private state; no bulk memory, no waiting.

export { bounce } from "./bounce"
export { broadcastPop } from "./broadcast-consumer"
export { broadcastPush, broadcastWake } from "./broadcast-producer"
export { awaitItem, giveBack, peek, pop, popMany, release } from "./consumer"
export { mergePop } from "./merge"
export { claim, commit, push, pushMany } from "./producer"
export { peekRecord, popRecord, releaseRecord } from "./record-consumer"
export { claimRecord, endRecord, pushRecord, stageRecord } from "./record-producer"
export { signal } from "./signaller"
export { copy } from "./slot"
export { take } from "./waiter"
export { compareExchangeWord, exchangeWord, loadLane, loadWord, storeWord } from "./word"
