// mapper.test.ts: the daemon changes a component's mappings while the component's JavaScript runs.
import { openSync } from "node:fs"
import t, { type Test } from "tap"
import { type Fd, type MapperReply, native } from "../../native/index.ts"
import {
  attachedMemory,
  eventually,
  frame,
  MEMORY_BYTES,
  mapped,
  openFds,
  PLACE,
  PRIVATE_BYTES,
  readable,
  socketPair,
  startNode,
} from "../helpers/native.ts"

const EXIT_STATUS = 86
const EINVAL = 22
const EACCES = 13

/** Sends a command and returns its answer. */
async function ask(
  socket: Fd,
  address: number,
  bytes: number,
  permissions: number,
  memory: Fd,
): Promise<MapperReply | null> {
  native.sendMapperCommand(socket, 7, address, bytes, permissions, memory)
  if (!(await readable(socket))) throw new Error("the mapper has not answered in time")
  return native.receiveMapperReply(socket) ?? null
}

/** A component whose JavaScript spins in `body`, with its mapper on descriptor 3. */
function component(t: Test, body: string, fds: readonly Fd[] = []) {
  const [ours, theirs] = native.createSocketPair()
  const child = startNode(
    t,
    `native.startMapper(3, ${EXIT_STATUS}, { address: 0, steps: [], exitAfterMs: 0 })\n${body}`,
    { fds: [theirs, ...fds] },
  )
  native.closeFd(theirs)
  let open = true
  const close = () => {
    if (open) native.closeFd(ours)
    open = false
  }
  t.teardown(close)
  return { socket: ours, close, child }
}

t.test("the mapper maps and unmaps while the component's JavaScript spins", async t => {
  attachedMemory()
  const shared = frame(t)
  const view = new Int32Array(mapped(t, shared, PLACE, 3).buffer, PLACE, 2)
  const window = frame(t)
  // The child counts in `shared`, then says that it is done spinning by never doing anything else.
  const { socket, close, child } = component(
    t,
    `
    native.map(${PLACE}, 4096, 4, 3)
    const words = new Int32Array(memory.buffer)
    for (;;) Atomics.add(words, ${PLACE / 4}, 1)
  `,
    [shared],
  )
  t.ok(await eventually(() => Atomics.load(view, 0) > 0), "it spins")
  for (let round = 0; round < 20; round++) {
    t.same(await ask(socket, 2 * PLACE, 4096, 3, window), { callId: 7, errno: 0 })
    t.same(await ask(socket, 2 * PLACE, 4096, 1, window), { callId: 7, errno: 0 }, "with fewer rights")
    t.same(await ask(socket, 2 * PLACE, 4096, 0, -1), { callId: 7, errno: 0 })
  }
  const before = Atomics.load(view, 0)
  t.ok(await eventually(() => Atomics.load(view, 0) > before), "it has spun on")
  close()
  t.same(await child.ended(), { code: EXIT_STATUS }, "and ends with the daemon's end of the socket, spinning or not")
})

t.test("what the mapper maps is what the daemon sees, and no descriptor stays", async t => {
  attachedMemory()
  const view = mapped(t, frame(t), PLACE, 3)
  const window = frame(t, 8192)
  const [ours, theirs] = socketPair(t)
  const { socket } = component(
    t,
    `
    const { readdirSync } = require("node:fs")
    const into = new Uint8Array(1)
    while (native.waitMessage(4, into, 10000) > 0) {
      const place = ${MEMORY_BYTES - 8192}
      const fds = readdirSync("/proc/self/fd").length
      native.sendMessage(4, Uint8Array.of(fds, into[0] === 0 ? 0 : bytes[place + 8191]++), [])
    }
  `,
    [theirs],
  )
  native.closeFd(theirs)
  const answer = new Uint8Array(2)
  native.callMessage(ours, Uint8Array.of(0), answer, 10_000)
  const [fdsBefore] = answer
  const ourWindow = mapped(t, window, 2 * PLACE, 3, 8192)
  ourWindow[8191] = 41
  t.match(await ask(socket, MEMORY_BYTES - 8192, 8192, 3, window), { errno: 0 })
  native.callMessage(ours, Uint8Array.of(1), answer, 10_000)
  t.same([...answer], [fdsBefore, 41])
  t.equal(ourWindow[8191], 42)
  t.equal(view[0], 0, "the neighbour is untouched")
})

t.test("the mapper answers a command that it cannot carry out with its errno, and goes on", async t => {
  const fd = frame(t)
  const { socket } = component(t, "setInterval(() => {}, 1000)")
  const readOnly = openSync(`/proc/self/fd/${fd}`, "r")
  t.teardown(() => native.closeFd(readOnly))
  const cases = [
    ["private memory", PRIVATE_BYTES - 4096, 4096, 1, fd, EINVAL],
    ["page 0", 0, 4096, 1, fd, EINVAL],
    ["not a page", PLACE + 4, 4096, 1, fd, EINVAL],
    ["no bytes", PLACE, 0, 1, fd, EINVAL],
    ["beyond the memory", MEMORY_BYTES - 4096, 8192, 1, fd, EINVAL],
    ["an overflow", PLACE, 2 ** 53 - 4096, 1, fd, EINVAL],
    ["beyond the frame", PLACE, 8192, 1, fd, EINVAL],
    ["more than the descriptor allows", PLACE, 4096, 3, readOnly, EACCES],
    ["unmap of private memory", PRIVATE_BYTES - 4096, 4096, 0, -1, EINVAL],
  ] as const
  for (const [what, address, bytes, permissions, memory, errno] of cases) {
    t.same(await ask(socket, address, bytes, permissions, memory), { callId: 7, errno }, what)
  }
  t.same(await ask(socket, PLACE, 4096, 3, fd), { callId: 7, errno: 0 }, "still serving")
})

t.test("the mapper refuses a message that is no command", async t => {
  const { socket } = component(t, "setInterval(() => {}, 1000)")
  // An unmap that would succeed, but for one byte too few or too many.
  const command = new DataView(new ArrayBuffer(25))
  command.setUint32(0, 7, true)
  command.setBigUint64(8, BigInt(PLACE), true)
  command.setBigUint64(16, 4096n, true)
  for (const bytes of [1, 23, 25]) {
    const message = new Uint8Array(command.buffer, 0, bytes)
    native.sendMessage(socket, message, [])
    t.ok(await readable(socket))
    t.same(native.receiveMapperReply(socket), { callId: 7, errno: EINVAL }, `${bytes} bytes`)
  }
  native.sendMessage(socket, new Uint8Array(command.buffer, 0, 24), [])
  t.ok(await readable(socket))
  t.same(native.receiveMapperReply(socket), { callId: 7, errno: 0 }, "exactly one command")
})

t.test("startMapper() keeps a component alive no longer than its JavaScript", async t => {
  const { child } = component(t, "")
  t.same(await child.ended(), { code: 0 }, "the thread does not hold the process")
})

t.test("sendMapperCommand() refuses wrong commands and leaves no descriptor", async t => {
  const [ours] = socketPair(t)
  const fd = frame(t)
  const before = openFds()
  const cases = [
    [() => native.sendMapperCommand(ours, 1, PLACE, 4096, 2, fd), /^permissions is 2: must be 1 \(read\) or 3/],
    [() => native.sendMapperCommand(ours, 1, PLACE, 4096, 1, -1), /^memory is -1: must be a frame unless/],
    [() => native.sendMapperCommand(ours, 1, PLACE, 4096, 0, fd), /^memory is \d+: must be -1 with permissions 0/],
    [() => native.sendMapperCommand(ours, 2 ** 32, PLACE, 4096, 0, -1), /^callId is 4294967296/],
    [() => native.sendMapperCommand(ours, 1, -1, 4096, 0, -1), /^address is -1/],
  ] as const
  for (const [action, message] of cases) t.throws(action, { name: "RangeError", message }, message.source)
  t.equal(openFds(), before)
})

t.test("sendMapperCommand() answers false when the component does not read", async t => {
  const [ours] = socketPair(t)
  let sent = 0
  while (native.sendMapperCommand(ours, sent, PLACE, 4096, 0, -1)) sent++
  t.ok(sent > 10)
})

t.test("receiveMapperReply() tells no answer, nonsense and the end apart", async t => {
  const [ours, theirs] = socketPair(t)
  t.equal(native.receiveMapperReply(ours), undefined)
  for (const nonsense of [new Uint8Array(7), new Uint8Array(9)]) {
    native.sendMessage(theirs, nonsense, [])
    t.equal(native.receiveMapperReply(ours), null, `${nonsense.length} bytes`)
  }
  const before = openFds()
  native.sendMessage(theirs, new Uint8Array(8), [theirs])
  t.equal(native.receiveMapperReply(ours), null, "an answer with a descriptor")
  t.equal(openFds(), before)
  native.sendMessage(theirs, Uint8Array.of(9, 0, 0, 0, 12, 0, 0, 0), [])
  t.same(native.receiveMapperReply(ours), { callId: 9, errno: 12 })
  native.closeFd(theirs)
  t.equal(native.receiveMapperReply(ours), null, "gone")
})

t.test("when the daemon's end is gone the words change by steps, and who sleeps on them is woken", async t => {
  const words = frame(t)
  const child = (() => {
    const [ours, theirs] = native.createSocketPair()
    const body = `
      native.map(${PLACE}, 4096, 4, 1)
      native.startMapper(3, ${EXIT_STATUS}, {
        address: ${PLACE}, exitAfterMs: 10_000,
        steps: [{ afterMs: 0, from: 0, to: 5 }, { afterMs: 50, from: 5, to: 3 }],
      })
      const word = new Int32Array(memory.buffer, ${PLACE}, 2)
      console.log("ready")
      const seen = []
      for (let value = 0; value !== 3; ) {
        native.futexWait(Uint32Array.of(${PLACE}, value), 1, 5e9)
        seen.push((value = Atomics.load(word, 0)))
      }
      process.exit(String(seen) === "5,3" ? 42 : 1)`
    const started = startNode(t, body, { fds: [theirs, words] })
    native.closeFd(theirs)
    setTimeout(() => native.closeFd(ours), 300)
    return started
  })()
  t.same(await child.ended(), { code: 42 })
})
