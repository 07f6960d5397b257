// service.test.ts: request and reply: which reply belongs to which call, what is late, who is gone, and what a lie costs.

import fc from "fast-check"
import t from "tap"
import {
  RING_CONSUMER_PART_BYTES,
  RING_READ_INDEX,
  RING_SLOTS,
  RING_WRITE_INDEX,
  Status,
} from "../../../../src/ring/layout.ts"
import type { ServiceClient } from "../../../../src/ring/shapes/service-client.ts"
import { replyRing, serviceBytes, writeTakeOver } from "../../../../src/ring/shapes/service-link.ts"
import type { Request } from "../../../../src/ring/shapes/service-server.ts"
import { SECOND_NS, startPeer, vspace } from "../../../helpers/ring.ts"
import { bytes, options, service } from "./service-world.ts"

const PATIENCE_NS = 20 * SECOND_NS
const taken = (request: unknown): Request => {
  if (typeof request !== "object") throw new Error(`No request: ${request}`)
  return { ...(request as Request), payload: (request as Request).payload.slice() }
}

t.test("each reply finds its call, in whatever order they come", async t => {
  const world = service(t, 2)
  const [server, a, b] = [world.server(), world.client(0), world.client(1)]
  const calls = [a.send(bytes(1)), a.send(bytes(2, 2)), b.send(bytes(3, 3, 3))] as number[]
  const requests = [0, 1, 2].map(() => taken(server.next(0)))
  t.equal(server.next(0), "deadline")
  for (const { client, call, payload } of requests.reverse()) {
    t.equal(payload.length, payload[0])
    t.equal(server.reply({ client, call }, bytes(client, ...payload)), "replied")
  }
  t.same(a.receive(calls[1] as number, { timeoutNs: 0 }), bytes(0, 2, 2))
  t.same(a.receive(calls[0] as number, { timeoutNs: 0 }), bytes(0, 1))
  t.same(b.receive(calls[2] as number, { timeoutNs: 0 }), bytes(1, 3, 3, 3))
  t.throws(() => a.receive(calls[0] as number), { code: "InvalidArgument", message: /call is \d+, which is none/ })
  t.match(server.stats(), { requests: 3, replied: 3, dropped: 0, malformed: 0, clients: ["live", "live"] })
  t.same(a.stats(), { sent: 2, answered: 2, late: 0, inFlight: 0 })
})

t.test(
  "a call that a server took and did not answer ends when another takes over, also unseen; the others are served",
  async t => {
    const world = service(t, 1)
    const [first, client] = [world.server(), world.client(0)]
    const [answered, open, found] = [1, 2, 3].map(value => client.send(bytes(value))) as [number, number, number]
    const request = taken(first.next(0))
    first.reply(request, request.payload)
    taken(first.next(0))
    first.close()
    // By now the client's status says again that its server lives: whoever slept has not seen it say otherwise.
    const second = world.server()
    t.equal(client.receive(open, { timeoutNs: SECOND_NS }), "peer-gone")
    t.same(client.receive(answered, { timeoutNs: 0 }), bytes(1))
    const next = taken(second.next(0))
    t.same(next.payload, bytes(3))
    second.reply(next, bytes(33))
    t.same(client.receive(found, { timeoutNs: 0 }), bytes(33))
    t.match(client.stats(), { sent: 3, answered: 2, late: 0, inFlight: 0 })
    const given = client.send(bytes(4)) as number
    t.equal(client.receive(given, { timeoutNs: 0 }), "deadline", "given up")
    taken(second.next(0))
    second.close()
    world.server()
    t.equal(client.receive(client.send(bytes(5)) as number, { timeoutNs: 0 }), "deadline")
    t.equal(client.stats().inFlight, 1, "and what was given up is under way no longer")
  },
)

t.test("a server that cannot tell a client that it took over keeps room for replies, and tells it later", async t => {
  const world = service(t, 1)
  const client = world.client(0)
  let server = world.server()
  const call = client.send(bytes(1)) as number
  taken(server.next(0))
  for (let restarts = 0; restarts < 12; restarts++) {
    server.close()
    server = world.server()
  }
  const others = [2, 3, 4].map(value => client.send(bytes(value))) as number[]
  for (const _ of others) {
    const request = taken(server.next(0))
    t.equal(server.reply(request, request.payload), "replied")
  }
  t.equal(client.receive(call, { timeoutNs: 0 }), "peer-gone")
  t.same(
    others.map(other => client.receive(other, { timeoutNs: 0 })),
    [2, 3, 4].map(value => bytes(value)),
  )
  const last = client.send(bytes(5)) as number
  taken(server.next(0))
  server.close()
  server = world.server()
  server.next(20e6)
  t.equal(client.receive(last, { timeoutNs: SECOND_NS }), "peer-gone")
})

t.test("a take-over long ago, or at an index that cannot be, ends no call", async t => {
  const world = service(t, 1)
  const client = world.client(0)
  const { written } = world.links[0] as (typeof world.links)[0]
  const { address } = replyRing(written).producerPart
  const calls = [1, 2, 3].map(value => client.send(bytes(value)) as number)
  for (const [slot, index] of [0, 0x8000_0000, 0xffff_fff0].entries()) {
    writeTakeOver(vspace, address + RING_SLOTS + slot * (8 + options.replyBytes), index)
  }
  vspace.storeWord(address + RING_WRITE_INDEX, 3)
  for (const call of calls) t.equal(client.receive(call, { timeoutNs: 0 }), "deadline")
  t.match(client.stats(), { sent: 3, answered: 0, late: 0, inFlight: 3 })
})

t.test("a service does what a table of open calls does, whatever the order of operations", async t => {
  const world = service(t, 2)
  const server = world.server()
  const clients = [world.client(0), world.client(1)]
  const step = fc.record({
    action: fc.constantFrom("send", "next", "reply", "receive", "give up"),
    client: fc.constantFrom(0, 1),
    at: fc.nat({ max: 20 }),
  })
  /** Across all runs: what each client waits for, what the server holds, what is owed. */
  const waiting: Map<number, number>[] = [new Map(), new Map()]
  const answered: Map<number, number>[] = [new Map(), new Map()]
  const owed = [0, 0]
  const held: Request[] = []
  const property = fc.property(fc.array(step, { maxLength: 150 }), steps => {
    for (const { action, client, at } of steps) {
      const end = clients[client] as ServiceClient
      const open = waiting[client] as Map<number, number>
      if (action === "send") {
        const call = end.send(bytes(at))
        if ((call === "full") !== (owed[client] === options.inFlight))
          throw new Error(`${call} with ${owed[client]} owed`)
        if (typeof call !== "number") continue
        open.set(call, at)
        owed[client] = (owed[client] as number) + 1
      } else if (action === "next") {
        const request = server.next(0)
        if (typeof request === "object") held.push(taken(request))
      } else if (action === "reply") {
        const [request] = held.splice(at % Math.max(1, held.length), 1)
        if (request === undefined) continue
        const sent = server.reply(request, bytes(request.payload[0] as number, 77))
        if (sent !== "replied") throw new Error("an honest client had no room")
        owed[request.client] = (owed[request.client] as number) - 1
        answered[request.client]?.set(request.call, request.payload[0] as number)
      } else {
        const call = [...open.keys()][at % Math.max(1, open.size)]
        if (call === undefined) continue
        const reply = end.receive(call, { timeoutNs: 0 })
        const sent = answered[client]?.get(call)
        if (sent === undefined ? reply !== "deadline" : reply[0] !== open.get(call))
          throw new Error(`${call}: ${reply}`)
        open.delete(call)
      }
    }
  })
  fc.assert(property, { numRuns: 200 })
})

t.test(
  "as many calls as may be are under way; one that is given up counts until its late reply, which is dropped",
  async t => {
    const world = service(t, 1)
    const [server, client] = [world.server(), world.client(0)]
    const start = performance.now()
    for (let call = 0; call < options.inFlight; call++)
      t.equal(client.call(bytes(call), { timeoutNs: 5_000_000 }), "deadline")
    t.ok(performance.now() - start >= 20)
    t.equal(client.send(bytes(9)), "full")
    t.equal(client.call(bytes(9), { timeoutNs: 1_000_000 }), "deadline", "it waits for room, and is not sent")
    t.same(client.stats(), { sent: 4, answered: 0, late: 0, inFlight: 4 })
    const first = taken(server.next(0))
    t.equal(server.reply(first, bytes(1)), "replied")
    const call = client.send(bytes(10)) as number
    t.same(client.stats(), { sent: 5, answered: 0, late: 1, inFlight: 4 })
    for (let left = 0; left < 4; left++) server.reply(taken(server.next(0)), bytes(50 + left))
    t.same(client.receive(call, { timeoutNs: 0 }), bytes(53), "late replies are not taken for it")
    t.equal(server.reply(first, bytes(1)), "replied")
    t.equal(client.call(bytes(11), { timeoutNs: 0 }), "deadline")
    t.match(client.stats(), { late: 5, inFlight: 1 }, "a second reply to one call is late as well")
  },
)

t.test(
  "a dead server is an outcome for every call; a dead client is dropped and counted, and the others go on",
  async t => {
    const world = service(t, 2)
    const [server, a, b] = [world.server(), world.client(0), world.client(1)]
    const call = a.send(bytes(1)) as number
    const request = taken(server.next(0))
    b.send(bytes(2))
    vspace.storeWord((world.links[0] as (typeof world.links)[0]).status, Status.PeerGone)
    t.match(server.next(0), { client: 1, payload: bytes(2) })
    t.equal(server.reply(request, bytes(1)), "dropped")
    t.equal(server.state(0), "peer-gone")
    t.match(server.stats(), { requests: 2, replied: 0, dropped: 1, clients: ["peer-gone", "live"] })

    const others = [a.send(bytes(3)), a.call(bytes(3), { timeoutNs: PATIENCE_NS })]
    t.same(others, ["peer-gone", "peer-gone"], "to this client it is the server that has gone")
    t.equal(a.receive(call, { timeoutNs: PATIENCE_NS }), "peer-gone")
    t.equal(a.stats().inFlight, 0, "nobody owes it anything")
    vspace.storeWord((world.links[1] as (typeof world.links)[0]).status, Status.PeerGone)
    t.equal(
      server.serve(payload => payload, PATIENCE_NS),
      "peer-gone",
      "all clients have gone",
    )
  },
)

t.test("a client that lies, about a length or an index or before the server comes, costs itself alone", async t => {
  const world = service(t, 3)
  const server = world.server()
  const [, honest, liar] = [world.client(0), world.client(1), world.client(2)]
  liar.send(bytes(1))
  const slots = (world.links[2] as (typeof world.links)[0]).written.clientFrame.address + RING_CONSUMER_PART_BYTES
  vspace.storeWord(slots + RING_SLOTS + 4, 17)
  const index = (world.links[0] as (typeof world.links)[0]).written.clientFrame.address + RING_CONSUMER_PART_BYTES
  vspace.storeWord(index + RING_WRITE_INDEX, 1000)
  honest.send(bytes(5))
  t.match(server.next(0), { client: 1, payload: bytes(5) })
  t.equal(server.next(0), "deadline")
  t.match(server.stats(), { malformed: 1, clients: ["misbehaved", "live", "live"] })
  server.close()
  vspace.storeWord(index, 1234)
  const next = world.server()
  honest.send(bytes(6))
  t.match(next.next(0), { client: 1, payload: bytes(6) })
  t.equal(next.state(0), "misbehaved")
})

t.test("an end whose peer spoilt one of its two rings can be closed, or was refused, and attached again", async t => {
  const world = service(t, 1)
  const { clientFrame, serverFrame } = (world.links[0] as (typeof world.links)[0]).written
  const replies = serverFrame.address + RING_CONSUMER_PART_BYTES
  vspace.storeWord(replies + RING_WRITE_INDEX, 1000)
  t.throws(() => world.client(0), { name: "PeerMisbehaviorError", what: "writeIndex", value: 1000 })
  vspace.storeWord(replies + RING_WRITE_INDEX, 0)
  const [server, client] = [world.server(), world.client(0)]
  client.send(bytes(1))
  const request = taken(server.next(0))
  vspace.storeWord(clientFrame.address + RING_READ_INDEX, 1000)
  let replied = 0
  while (server.reply(request, bytes(2)) === "replied") replied++
  t.equal(replied, 2 * options.inFlight, "a full ring is looked at")
  vspace.storeWord(clientFrame.address + RING_READ_INDEX, 0)
  server.close()
  t.equal(world.server().state(0), "live")
})

t.test("a server that lies about a reply's length is refused; misuse is, with numbers", async t => {
  const world = service(t, 1)
  const [server, client] = [world.server(), world.client(0)]
  const call = client.send(bytes(1)) as number
  server.reply(taken(server.next(0)), bytes(2))
  const slots = (world.links[0] as (typeof world.links)[0]).written.serverFrame.address + RING_CONSUMER_PART_BYTES
  vspace.storeWord(slots + RING_SLOTS + 4, 25)
  t.throws(() => client.receive(call), { name: "PeerMisbehaviorError", what: "a reply's length", value: 25 })
  const long = { code: "RangeError", message: /payload has (17|25) bytes: this side may send (16|24);/ }
  t.throws(() => client.send(new Uint8Array(17)), long)
  t.throws(() => client.send(undefined as never), { code: "InvalidArgument", message: /payload is of type undefined/ })
  t.throws(() => server.reply({ client: 0, call }, new Uint8Array(25)), long)
  t.throws(() => serviceBytes({ ...options, inFlight: 3 }), { message: /inFlight is 3, which must be a power of two/ })
  t.throws(() => serviceBytes({ ...options, replyBytes: -1 }), { message: /replyBytes is -1/ })
  t.throws(() => client.call(bytes(1), { timeoutNs: -1 }), { message: /timeoutNs is -1/ })
})

t.test(
  "a server in another process answers out of order; a client that is killed in mid-call blocks nobody",
  async t => {
    const world = service(t, 2)
    const fds = world.links.flatMap(link => link.fds)
    const server = startPeer(t, "serve", fds, "shapes/peer.ts")
    const other = startPeer(t, "call", (world.links[1] as (typeof world.links)[0]).fds, "shapes/peer.ts")
    const client = world.client(0)
    for (let round = 0; round < 2_000; round++) {
      if (round === 500) other.kill()
      const calls = [1, 2, 3].map(value => [value, client.send(bytes(value, round & 0xff))] as const)
      for (const [value, call] of calls) {
        if (typeof call !== "number") return t.fail(`round ${round}: ${call}`)
        const reply = client.receive(call, { timeoutNs: PATIENCE_NS })
        if (typeof reply === "string" || reply[0] !== (~value & 0xff) || reply[1] !== (~round & 0xff)) {
          return t.fail(`round ${round}: ${reply}`)
        }
      }
    }
    t.match(client.stats(), { sent: 6_000, answered: 6_000, late: 0, inFlight: 0 })
    server.kill()
    await server.ended()
    vspace.storeWord((world.links[0] as (typeof world.links)[0]).status, Status.PeerGone)
    t.equal(client.call(bytes(1), { timeoutNs: PATIENCE_NS }), "peer-gone")
  },
)
