// bells.test.ts: eventfds by address: they wake an event loop, and are gone when they are taken away.
import { readdirSync, readFileSync, readlinkSync, readSync } from "node:fs"
import t, { type Test } from "tap"
import { type Fd, MapperCommand, native } from "../../native/index.ts"
import { closing, eventually, openFds, PLACE, readable, socketPair, startNode } from "../helpers/native.ts"

const OWN = 0
const PEERS = 1
const EXIT_STATUS = 86

/** A bell that hangs at `address` as our own, and the descriptor to ring it with. */
function hang(t: Test, address: number, whose: 0 | 1 = OWN): Fd {
  const bell = closing(t, native.createEventFd())
  native.hangBell(address, whose, native.duplicateFd(bell))
  t.teardown(() => {
    native.takeBells(address, 1)
    collected()
  })
  return bell
}

function collected(): number[] {
  const into = new Uint32Array(8)
  return [...into.subarray(0, native.collectBells(into))].sort((a, b) => a - b)
}

/** What has been added to an eventfd since the last look. */
function count(bell: Fd): number {
  const bytes = Buffer.alloc(8)
  try {
    readSync(bell, bytes)
  } catch {
    return 0 // EAGAIN
  }
  return Number(bytes.readBigUInt64LE())
}

t.test("a bell that rings makes the thread's set readable, and is collected once", async t => {
  const bells = [64, 65, 200].map(address => hang(t, address))
  for (const address of [64, 65, 200]) t.equal(native.listenToBell(address), true)
  t.equal(await readable(native.bellSetFd(), 20), false, "silent")
  native.addToEventFd(bells[0] as Fd)
  native.addToEventFd(bells[2] as Fd)
  t.equal(await readable(native.bellSetFd()), true)
  t.same(collected(), [64, 200])
  t.same(collected(), [], "though nobody has read the eventfd")
  native.addToEventFd(bells[2] as Fd)
  t.same(collected(), [200], "rung again")
})

t.test("ringPeersBell() wakes the peer's end, and only where one hangs", async t => {
  const bell = hang(t, 300, PEERS)
  t.equal(native.listenToBell(300), false, "it is not our own")
  t.equal(native.ringPeersBell(300), true)
  t.equal(native.ringPeersBell(300), true)
  t.equal(native.ringPeersBell(301), false)
  t.equal(count(bell), 2)
})

t.test("addToEventFd() wakes also where a hostile holder has filled the count", async t => {
  const bell = hang(t, 310)
  native.listenToBell(310)
  const full = 2n ** 64n - 2n
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(full)
  const { writeSync } = await import("node:fs")
  writeSync(bell, bytes)
  t.same(collected(), [310])
  native.addToEventFd(bell)
  t.same(collected(), [310])
  t.equal(count(bell), 1)
})

t.test("takeBells() takes those of its range alone, tells who listened, and leaves nothing to poll", async t => {
  const before = openFds()
  const bells = [400, 499, 500].map(address => hang(t, address))
  hang(t, 450, PEERS)
  for (const address of [400, 499, 500]) native.listenToBell(address)
  native.takeBells(400, 100)
  t.equal(await readable(native.bellSetFd()), true)
  t.same(collected(), [400, 499])
  t.equal(native.ringPeersBell(450), false)
  t.equal(native.listenToBell(400), false)
  // We still hold the eventfd itself: it rings, and reaches nobody.
  native.addToEventFd(bells[0] as Fd)
  t.equal(await readable(native.bellSetFd(), 50), false, "an epoll set would show a closed bell for ever")
  native.addToEventFd(bells[2] as Fd)
  t.same(collected(), [500], "the neighbour still rings")
  native.takeBells(500, 1)
  t.same(collected(), [500])
  t.equal(openFds() - before, bells.length + 1, "ours for ringing are left, and the one that was given us for the peer")
})

t.test("unref() lets the process end while it listens, ref() does not", async t => {
  const body = (call: string) => `
    native.hangBell(64, 0, native.createEventFd())
    native.listenToBell(64)
    const end = native.watchReadable(native.bellSetFd(), () => process.exit(3))
    end.unref()
    ${call}
    setTimeout(() => process.exit(4), 300).unref()`
  t.same(await startNode(t, body("")).ended(), { code: 0 })
  t.same(await startNode(t, body("end.ref()")).ended(), { code: 4 })
})

t.test(
  "the mapper hangs bells and takes them away, with the pages or without, and refuses what is no eventfd command",
  async t => {
    const [ours, theirs] = socketPair(t)
    const child = startNode(
      t,
      `
    native.startMapper(3, ${EXIT_STATUS}, { address: 0, steps: [], exitAfterMs: 0 })
    const into = new Uint32Array(8)
    native.watchReadable(native.bellSetFd(), () => {
      native.collectBells(into)
    })
    const poll = setInterval(() => native.listenToBell(${PLACE}), 1)`,
      { fds: [theirs] },
    )
    native.closeFd(theirs)
    const ask = async (command: number, address: number, fd: Fd, bytes = 1) => {
      native.sendMapperCommand(ours, 9, address, bytes, command, fd)
      if (!(await readable(ours))) throw new Error("no answer")
      return native.receiveMapperReply(ours)?.errno
    }
    const eventFds = () =>
      readdirSync(`/proc/${child.pid}/fd`).filter(fd => {
        try {
          return readlinkSync(`/proc/${child.pid}/fd/${fd}`).includes("eventfd")
        } catch {
          return false
        }
      }).length
    const bell = closing(t, native.createEventFd())
    const id = /eventfd-id:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${bell}`, "latin1"))?.[1]
    t.ok(Number(id) >= 0, "Linux tells eventfds apart")
    t.equal(await ask(MapperCommand.takeBells, PLACE, -1), 0, "nothing to take")
    const before = eventFds()
    t.equal(await ask(MapperCommand.hangOwnBell, PLACE, bell), 0)
    t.equal(await ask(MapperCommand.hangPeersBell, PLACE, bell), 0)
    t.ok(await eventually(() => eventFds() >= before + 2), "it has two descriptors")
    t.equal(await ask(MapperCommand.takeBells, PLACE, -1), 0)
    // The set's own eventfd may have come meanwhile.
    t.ok(eventFds() <= before + 1)
    const shared = closing(t, native.createFrame(4096, "test"))
    t.equal(await ask(3, PLACE, shared, 4096), 0)
    t.equal(await ask(MapperCommand.hangOwnBell, PLACE + 8, bell), 0)
    const hung = eventFds()
    t.equal(await ask(0, PLACE, -1, 4096), 0, "an unmap")
    t.equal(eventFds(), hung - 1, "takes the bells of its range")
    t.equal(await ask(MapperCommand.hangOwnBell, 2 ** 32, bell), 22, "no address of a VSpace")
    t.throws(
      () => native.sendMapperCommand(ours, 1, PLACE, 1, MapperCommand.takeBells, bell),
      /^RangeError: memory is|memory is/,
    )
    t.throws(() => native.sendMapperCommand(ours, 1, PLACE, 1, MapperCommand.hangOwnBell, -1), /memory is -1/)
  },
)
