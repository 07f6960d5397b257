// service-floods.test.ts: a peer that sends without an end what is of no use keeps nobody beyond his time.

import t, { type Test } from "tap"
import { RingConsumer } from "../../../../src/ring/consumer.ts"
import { MergeConsumer } from "../../../../src/ring/shapes/merge-consumer.ts"
import { bytes, options, service } from "./service-world.ts"

const MS = 1_000_000

/** From now on every pop of such an end brings `message`, as from a peer that is always faster. */
function flood(t: Test, end: { pop: unknown }, message: Uint8Array): void {
  const { pop } = end
  end.pop = (limit: unknown) => (typeof limit === "object" ? Promise.resolve(message) : message)
  t.teardown(() => {
    end.pop = pop
  })
}

const head = (call: number, length: number): Uint8Array => {
  const message = new Uint8Array(32)
  new Uint32Array(message.buffer).set([call, length])
  return message
}

t.test("a client whose server answers what nobody asked is told in time", async t => {
  const client = service(t, 1).client(0)
  const [first = 0] = Array.from({ length: options.inFlight }, () => client.send(bytes(1)) as number)
  flood(t, RingConsumer.prototype, head(12_345, 1))
  t.equal(client.send(bytes(1)), "full")
  t.equal(client.call(bytes(1), { timeoutNs: MS }), "deadline")
  t.equal(client.receive(first, { timeoutNs: MS }), "deadline")
  t.equal(client.stats().inFlight, options.inFlight, "the one that was given up is owed still")
  t.ok(client.stats().late > 0)
})

t.test("a reply that is there is received also when the time is over, behind those to others", async t => {
  const world = service(t, 1)
  const [server, client] = [world.server(), world.client(0)]
  const calls = Array.from({ length: options.inFlight }, (_, at) => client.send(bytes(at)) as number)
  for (const call of calls) server.reply({ client: 0, call }, bytes(call))
  const last = calls.at(-1) as number
  t.same(client.receive(last, { timeoutNs: 0 }), bytes(last))
})

t.test("a server whose client sends what is no request is told in time", async t => {
  const server = service(t, 1).server()
  flood(t, MergeConsumer.prototype, head(1, 1_000))
  t.equal(server.next(MS), "deadline")
  t.equal(
    server.serve(payload => payload, MS),
    "deadline",
  )
  t.equal(await server.next({ deadlineNs: MS }), "deadline")
  t.ok(server.stats().malformed > 0)
})
