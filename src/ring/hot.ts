// hot.ts: the ring's WebAssembly as TypeScript sees it (src/ring/wasm), and how it must be compiled.

/**
 * The exports. Every address is a byte offset into the VSpace; `end`, `signaller`, `waiter` and so on are private state laid
 * out as in words.ts; results are RESULT_ numbers. A fault on a shared page is a WebAssembly.RuntimeError.
 * Cost: 3 to 4 ns a call and an atomic operation or two.
 */
export interface Hot {
  push(end: number, spins: number): number
  pushMany(end: number, from: number, count: number, spins: number): number
  claim(end: number, count: number, spins: number): number
  commit(end: number, count: number): number
  awaitItem(end: number, spins: number): number
  pop(end: number, spins: number): number
  popMany(end: number, to: number, max: number, spins: number): number
  peek(end: number, max: number, spins: number): number
  release(end: number, count: number): number
  giveBack(end: number): number
  claimRecord(end: number, at: number, bytes: number, spins: number): number
  endRecord(end: number, at: number, bytes: number): number
  stageRecord(end: number, from: number, at: number, bytes: number, spins: number): number
  pushRecord(end: number, from: number, bytes: number, spins: number): number
  peekRecord(end: number, spins: number): number
  popRecord(end: number, spins: number): number
  releaseRecord(end: number): number
  mergePop(merge: number, spins: number): number
  broadcastPush(sender: number, spins: number): number
  broadcastWake(sender: number): number
  broadcastPop(receiver: number, spins: number): number
  signal(signaller: number, bits: bigint): number
  take(waiter: number, spins: number): number
  /** Copies `bytes`, a multiple of 8, between addresses that are multiples of 8. */
  copy(to: number, from: number, bytes: number): void
  bounce(addressA: number, addressB: number, rounds: number, leader: number): number
  /** Words come back signed: `>>> 0` makes them 0 to 2^32 - 1. */
  loadWord(address: number): number
  storeWord(address: number, value: number): void
  exchangeWord(address: number, value: number): number
  compareExchangeWord(address: number, expected: number, value: number): number
  loadLane(address: number): bigint
}

/**
 * Node's option for a process that has no WebAssembly compiled but by the optimising compiler. There a function of the ring is
 * compiled when it is first called: few ends use more than some of them.
 */
export const OPTIMISE_ALL = "--no-liftoff"

// Only code of the optimising compiler turns every fault into an exception. In a process started without that option all is
// compiled at once, and the flags hold for this compilation alone: other WebAssembly keeps V8's defaults.
// V8 14 inlines by what Liftoff has counted, and aborts where that is missing; started without Liftoff it does not inline,
// but of a flag set as late as here it draws no conclusions. Older ones do not all know that flag.
const FIRST_V8_THAT_COUNTS = 14
const inlines = Number.parseInt(process.versions.v8, 10) >= FIRST_V8_THAT_COUNTS
const OPTIMISE_NOW = ["--no-liftoff", "--no-wasm-lazy-compilation", ...(inlines ? ["--no-wasm-inlining"] : [])]
const DEFAULTS = ["--liftoff", "--wasm-lazy-compilation", ...(inlines ? ["--wasm-inlining"] : [])]

/** Compiles. Cost: 6 ms and 1.4 MiB; with OPTIMISE_ALL 0.5 ms, and a millisecond or two where a function is first called. */
export function compile(wasm: Uint8Array): WebAssembly.Module {
  const bytes = wasm as Uint8Array<ArrayBuffer>
  if (process.execArgv.includes(OPTIMISE_ALL)) return new WebAssembly.Module(bytes)
  // Loaded here, since most components do without.
  const { setFlagsFromString } = process.getBuiltinModule("node:v8")
  for (const flag of OPTIMISE_NOW) setFlagsFromString(flag)
  try {
    return new WebAssembly.Module(bytes)
  } finally {
    for (const flag of DEFAULTS) setFlagsFromString(flag)
  }
}

export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Hot {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Hot
}
