// peer.ts: the other process of the shapes' tests. Its descriptors from 3 on are one-page frames, mapped in a row.
// Arguments: mode, path of ring.wasm. Exits with 0 when all was as expected; an uncaught error makes it 1.

import { readFileSync } from "node:fs"
import { native } from "../../../../native/index.ts"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { FRAMES_START, PRIVATE_END, PRIVATE_START, VSPACE_BYTES } from "../../../../src/kernel-daemon/abi/vspace-map.ts"
import { BroadcastConsumer } from "../../../../src/ring/shapes/broadcast-consumer.ts"
import { BroadcastProducer } from "../../../../src/ring/shapes/broadcast-producer.ts"
import { PolicyProducer } from "../../../../src/ring/shapes/policy-ring.ts"
import { ServiceClient } from "../../../../src/ring/shapes/service-client.ts"
import { ServiceServer } from "../../../../src/ring/shapes/service-server.ts"
import { SharedRing } from "../../../../src/ring/shared-ring.ts"
import { VSpace } from "../../../../src/ring/vspace.ts"
import { messageCount } from "./counts.ts"

const READ = 1
const READ_WRITE = 3
const PATIENCE_NS = 20_000_000_000

const [, , mode = "", wasmPath = ""] = process.argv
const map = { bytes: VSPACE_BYTES, privateStart: PRIVATE_START, privateEnd: PRIVATE_END }
const vspace = VSpace.create(map, readFileSync(wasmPath))

function frame(index: number, permissions: number): { address: number; bytes: number } {
  const address = FRAMES_START + index * PAGE_BYTES
  native.map(address, PAGE_BYTES, 3 + index, permissions)
  return { address, bytes: PAGE_BYTES }
}

/** Sends 0, 1, 2, ... in the first word of each message, its complement in the last. */
function produce(count: number): void {
  const parts = { producerPart: frame(0, READ_WRITE), consumerPart: frame(1, READ) }
  const producer = SharedRing.producer(vspace, parts, { wait: { spinNs: 0 } })
  const words = new Uint32Array(producer.staging.buffer, producer.staging.byteOffset, producer.staging.length / 4)
  for (let item = 0; item < count; item++) {
    words[0] = item
    words[words.length - 1] = ~item
    const outcome = producer.push(undefined, PATIENCE_NS)
    if (outcome !== "pushed") throw new Error(`Item ${item}: ${outcome}`)
  }
}

/** Sends messages all of whose words are 0, then 1, then 2, ..., as fast as it can, and with pauses in which nobody hurries. */
function overwrite(): void {
  const part = frame(0, READ_WRITE)
  const target = { link: frame(1, READ_WRITE), consumerPart: frame(2, READ) }
  const producer = new BroadcastProducer(vspace, part, [target])
  const words = new Uint32Array(producer.staging.buffer, producer.staging.byteOffset, producer.staging.length / 4)
  for (let item = 0; item < messageCount; item++) {
    words.fill(item)
    if (!producer.tryPush()) throw new Error(`Item ${item} was not sent`)
    if (item % 1000 < 500) for (let look = 0; look < 200; look++) vspace.loadWord(part.address)
  }
}

/** Sends as `overwrite` does, by a policy that drops; then the end, until there is room for it. */
function drop(): void {
  const producer = new PolicyProducer(vspace, { producerPart: frame(0, READ_WRITE), consumerPart: frame(1, READ) })
  const words = new Uint32Array(producer.staging.buffer, producer.staging.byteOffset, producer.staging.length / 4)
  for (let item = 0; item < messageCount; item++) {
    words.fill(item)
    producer.push()
    if (item % 1000 < 500) for (let look = 0; look < 200; look++) vspace.loadWord(FRAMES_START)
  }
  words.fill(0xffff_ffff)
  // What is dropped here counts as well: so wait until the consumer has read all.
  const deadline = performance.now() + 200
  while (performance.now() < deadline) vspace.loadWord(FRAMES_START)
  if (producer.push() !== "pushed") throw new Error("The end was not sent")
}

/** Reads messages of which all words are the next number, to the last, or until it is disconnected. */
function read(end: "all" | "disconnected"): void {
  const consumer = new BroadcastConsumer(vspace, frame(0, READ), {
    link: frame(1, READ),
    consumerPart: frame(2, READ_WRITE),
  })
  for (let item = 0; item < messageCount; item++) {
    const message = consumer.pop(PATIENCE_NS)
    if (message === end) return
    if (typeof message === "string") throw new Error(`Item ${item}: ${message}`)
    const words = new Uint32Array(message.buffer, message.byteOffset, message.length / 4)
    if (words.some(word => word !== item)) throw new Error(`Item ${item}: ${words.join()}`)
  }
  if (end === "disconnected") throw new Error("It was never disconnected")
}

/** Answers two clients, each request by its complement, in pairs and the later one first. */
function serve(): void {
  const links = [0, 2].map(at => ({ frames: { clientFrame: frame(at, READ), serverFrame: frame(at + 1, READ_WRITE) } }))
  const server = new ServiceServer(vspace, links, { wait: { spinNs: 0 } })
  let held: { client: number; call: number; payload: Uint8Array } | undefined
  for (;;) {
    const request = server.next(held === undefined ? PATIENCE_NS : 1_000_000)
    if (request === "deadline" && held === undefined) return
    if (request === "closed") return
    if (typeof request === "object")
      server.reply(
        request,
        request.payload.map(byte => ~byte),
      )
    if (held !== undefined) server.reply(held, held.payload)
    held = undefined
    if (typeof request !== "object") continue
    const next = server.next(0)
    if (typeof next === "object") held = { ...next, payload: next.payload.map(byte => ~byte) }
  }
}

/** Calls for ever, several at a time. */
function call(): void {
  const client = new ServiceClient(vspace, { clientFrame: frame(0, READ_WRITE), serverFrame: frame(1, READ) }, 4)
  for (;;)
    for (const ticket of [client.send(Uint8Array.of(1)), client.send(Uint8Array.of(2))]) {
      if (typeof ticket === "number") client.receive(ticket, { timeoutNs: PATIENCE_NS })
    }
}

const modes: Record<string, () => void> = {
  produce: () => produce(messageCount),
  overwrite,
  drop,
  serve,
  call,
  "read-all": () => read("all"),
  "read-until-disconnected": () => read("disconnected"),
  "produce-without-end": () => produce(Number.POSITIVE_INFINITY),
}
const run = modes[mode]
if (run === undefined) throw new Error(`Mode is ${mode}: must be one of ${Object.keys(modes).join(", ")}`)
run()
