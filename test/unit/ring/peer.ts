// peer.ts: the other process of the ring's tests. Its descriptors from 3 on are one-page frames, mapped in a row.
// Arguments: mode, path of ring.wasm. Exits with 0 when all was as expected; an uncaught error makes it 1.

import { existsSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { FRAMES_START, PRIVATE_END, PRIVATE_START, VSPACE_BYTES } from "../../../src/kernel-daemon/abi/vspace-map.ts"
import { NOTIFICATION_IN_USE, RING_WRITE_INDEX, Status } from "../../../src/ring/layout.ts"
import { NotificationFrame, NotificationSignaller, NotificationWaiter } from "../../../src/ring/notification.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { VSpace } from "../../../src/ring/vspace.ts"
import {
  AWAKE_BEGIN,
  AWAKE_END,
  awakeCount,
  awakeWarmUp,
  burstCount,
  itemCount,
  recordLineBytes,
  recordLines,
  roundCount,
} from "./counts.ts"

const READ_WRITE = 3
const PATIENCE_NS = 20_000_000_000

const [, , mode = "", wasmPath = ""] = process.argv
const map = { bytes: VSPACE_BYTES, privateStart: PRIVATE_START, privateEnd: PRIVATE_END }
const vspace = VSpace.create(map, readFileSync(wasmPath))

function frame(index: number): number {
  const address = FRAMES_START + index * PAGE_BYTES
  native.map(address, PAGE_BYTES, 3 + index, READ_WRITE)
  return address
}

/** Sends 0, 1, 2, ... in the first word of each message, its complement in the last. */
function produce(spinNs: number): void {
  const producer = SharedRing.producer(vspace, frame(0), PAGE_BYTES, { wait: { spinNs } })
  const words = new Uint32Array(producer.staging.buffer, producer.staging.byteOffset, producer.staging.length / 4)
  for (let item = 0; item < itemCount; item++) {
    words[0] = item
    words[words.length - 1] = ~item
    const outcome = producer.push(undefined, PATIENCE_NS)
    if (outcome !== "pushed") throw new Error(`Item ${item}: ${outcome}`)
  }
}

/** Sends without ever sleeping, and marks in the trace of its system calls where the counted part begins and ends. */
function produceAwake(): void {
  const producer = SharedRing.producer(vspace, frame(0), PAGE_BYTES, { wait: { park: false } })
  const send = (count: number): void => {
    for (let item = 0; item < count; item++) {
      const outcome = producer.push(undefined, PATIENCE_NS)
      if (outcome !== "pushed") throw new Error(`Item ${item}: ${outcome}`)
    }
  }
  send(awakeWarmUp)
  existsSync(AWAKE_BEGIN)
  send(awakeCount)
  existsSync(AWAKE_END)
  const { sleeps, wakes } = producer.stats()
  if (sleeps + wakes > 0) throw new Error(`${sleeps} sleeps and ${wakes} wakes`)
}

/** Answers each signal on page 0 with one on page 1. */
function answer(spinNs: number): void {
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, frame(0)), { wait: { spinNs } })
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(frame(1), 3))
  for (let round = 0; round < roundCount; round++) {
    const badge = waiter.wait(PATIENCE_NS)
    if (typeof badge === "string") throw new Error(`Round ${round}: ${badge}`)
    signaller.signal(badge)
  }
}

/**
 * Writes a record and signals, twice, and goes on when the other end has seen the second record. The second signal
 * meets a bit that is pending, is just being taken, or has been: the gap between the two varies, so that all are hit.
 */
function merge(): void {
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(frame(0), 0))
  const data = frame(1)
  const echo = data + recordLines * recordLineBytes
  for (let burst = 1; burst <= burstCount; burst++) {
    for (const number of [2 * burst - 1, 2 * burst]) {
      for (let line = 0; line < recordLines; line++) vspace.u32[(data + line * recordLineBytes) / 4] = number
      signaller.signal(1n)
      for (let gap = 0; gap < burst % 32; gap++) vspace.loadWord(data)
    }
    const deadline = performance.now() + PATIENCE_NS / 1e6
    while (vspace.loadWord(echo) !== 2 * burst) {
      if (performance.now() > deadline) throw new Error(`Burst ${burst} was not seen`)
    }
  }
}

/**
 * As the daemon does it: a while after the pages went, where a capability is revoked. Then it lives on until it is
 * killed: the end of a child is a signal, and that would end its parent's sleep as well.
 */
async function tell(status: number): Promise<void> {
  const address = frame(0)
  await sleep(50)
  vspace.storeWord(address, status)
  native.futexWake(address, 1)
  await sleep(PATIENCE_NS / 1e6)
}

/** As the daemon does it when a signaller comes: lane 7 comes into use, and then it signals. */
async function join(): Promise<void> {
  const address = frame(0)
  await sleep(50)
  vspace.storeWord(address + NOTIFICATION_IN_USE, 0x81)
  native.futexWake(address + NOTIFICATION_IN_USE, 1)
  await sleep(50)
  new NotificationSignaller(vspace, NotificationFrame.lane(address, 7)).signal(8n)
}

/** Publishes a message and wakes nobody, as if the wake-up had been lost on its way. */
async function publishUnheard(): Promise<void> {
  const address = frame(0)
  await sleep(50)
  vspace.storeWord(address + RING_WRITE_INDEX, 1)
  await sleep(PATIENCE_NS / 1e6)
}

/** Sleeps on a ring's write index until it is woken. The sleep number stays what it is. */
function sleepOnIndex(): void {
  const place = frame(0) + RING_WRITE_INDEX
  const outcome = native.futexWait(Uint32Array.of(place, vspace.loadWord(place)), 1, PATIENCE_NS)
  process.exit(outcome)
}

const modes: Record<string, () => void | Promise<void>> = {
  "produce-parking": () => produce(0),
  "produce-spinning": () => produce(20_000),
  "produce-awake": produceAwake,
  "answer-parking": () => answer(0),
  "answer-spinning": () => answer(3_000),
  merge,
  join,
  "publish-unheard": publishUnheard,
  "sleep-on-index": sleepOnIndex,
  "tell-revoked": () => tell(Status.Revoked),
  "tell-peer-gone": () => tell(Status.PeerGone),
}
const run = modes[mode]
if (run === undefined) throw new Error(`Mode is ${mode}: must be one of ${Object.keys(modes).join(", ")}`)
// Nothing awaits it at the top level: the bundle is CommonJS.
void run()
