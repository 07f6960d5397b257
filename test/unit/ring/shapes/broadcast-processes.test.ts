// broadcast-processes.test.ts: a broadcast between real processes: one that overwrites what another reads, one that dies.

import t from "tap"
import { Status } from "../../../../src/ring/layout.ts"
import { CONSUMER_ATTACH } from "../../../../src/ring/shapes/words.ts"
import { SECOND_NS, startPeer, vspace } from "../../../helpers/ring.ts"
import { broadcast } from "./broadcast-world.ts"
import { messageCount } from "./counts.ts"

const PATIENCE_NS = 20 * SECOND_NS

for (const spinNs of [0, 20_000]) {
  t.test(
    `a process overwrites what another reads: never torn, never twice, all counted; spins ${spinNs} ns`,
    async t => {
      const world = broadcast(t, {
        capacity: 2,
        slotBytes: 1352,
        consumers: ["drop-oldest"],
        initialIndex: 2n ** 32n - 9n,
      })
      const consumer = world.consumer(0, spinNs)
      const { fds } = world.links[0] as (typeof world.links)[0]
      const peer = startPeer(t, "overwrite", [world.fd, ...fds], "shapes/peer.ts")
      let last = -1
      let received = 0
      let gaps = 0
      while (last < messageCount - 1) {
        const message = consumer.pop(PATIENCE_NS)
        if (typeof message === "string") return t.fail(`after ${last}: ${message}`)
        const words = new Uint32Array(message.buffer, message.byteOffset, message.length / 4)
        const [item = 0] = words
        if (item <= last || words.some(word => word !== item)) return t.fail(`torn or twice: ${words.join()}`)
        gaps += item - last - 1
        if (consumer.lost !== gaps) return t.fail(`${consumer.lost} lost, ${gaps} missing`)
        last = item
        received++
      }
      t.same(await peer.ended(), { code: 0 })
      t.equal(received + consumer.lost, messageCount)
      t.ok(received > 0 && consumer.lost > 0, `${received} received, ${consumer.lost} lost: both must occur`)
    },
  )
}

t.test("three processes read what this one sends; one is killed and one stopped in mid-stream", async t => {
  const world = broadcast(t, { capacity: 8, slotBytes: 64, consumers: ["block", "disconnect", "block"] })
  const producer = world.producer()
  const peers = (["read-all", "read-until-disconnected", "read-all"] as const).map((mode, at) => {
    const { fds } = world.links[at] as (typeof world.links)[0]
    return startPeer(t, mode, [world.fd, ...fds], "shapes/peer.ts")
  })
  const attached = () => world.links.every(({ part }) => vspace.loadWord(part.read.address + CONSUMER_ATTACH) !== 0)
  while (!attached()) await new Promise(resolve => setTimeout(resolve, 5))
  const words = new Uint32Array(producer.staging.buffer, producer.staging.byteOffset, 16)
  for (let item = 0; item < messageCount; item++) {
    words.fill(item)
    const outcome = producer.push(undefined, PATIENCE_NS)
    if (outcome !== "pushed") return t.fail(`item ${item}: ${outcome}`)
    if (item === 1000) {
      peers[0]?.kill()
      await peers[0]?.ended()
      world.tellProducer(0, Status.PeerGone)
    }
    // It may have been disconnected before, by chance: it stays what it is.
    if (item === 2000) process.kill(peers[1]?.pid ?? 0, "SIGSTOP")
  }
  t.same(await peers[2]?.ended(), { code: 0 }, "the third got all")
  t.match(producer.stats().consumers, [{ state: "absent" }, { state: "absent", disconnected: 1 }, { state: "present" }])
  process.kill(peers[1]?.pid ?? 0, "SIGCONT")
  t.same(await peers[1]?.ended(), { code: 0 }, "the stopped one is told that it was disconnected")
})
