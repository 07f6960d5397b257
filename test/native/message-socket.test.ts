// message-socket.test.ts: messages and descriptors between two ends, and nothing leaked on any path.
import { fstatSync, openSync, readFileSync } from "node:fs"
import t from "tap"
import { native } from "../../native/index.ts"
import { closing, DEADLINE_MS, frame, openFds, readable, socketPair, startNode } from "../helpers/native.ts"

const HELLO = Buffer.from("hello")
const room = () => new Uint8Array(64)

/** Runs `body` and reports a change in the number of open descriptors. */
function leaksNothing(t: Parameters<typeof frame>[0], body: () => void) {
  const before = openFds()
  body()
  t.equal(openFds(), before, "as many descriptors as before")
}

/** The second and last end of a pair whose first has been closed by `close`. */
function withPair(body: (ours: number, theirs: number) => void) {
  const [ours, theirs] = native.createSocketPair()
  try {
    body(ours, theirs)
  } finally {
    native.closeFd(ours)
    try {
      native.closeFd(theirs)
    } catch {
      // The body closed it, to be gone.
    }
  }
}

t.test("sendMessage() and receiveMessage() keep messages whole and in order", async t => {
  const [ours, theirs] = socketPair(t)
  t.equal(native.receiveMessage(theirs, room()), undefined, "nothing yet")
  t.equal(native.sendMessage(ours, HELLO, []), true)
  t.equal(native.sendMessage(ours, Buffer.from("you"), []), true)
  const into = room()
  t.same(native.receiveMessage(theirs, into), { bytes: 5, fds: [], truncated: false })
  t.equal(Buffer.from(into.subarray(0, 5)).toString(), "hello")
  t.match(native.receiveMessage(theirs, into), { bytes: 3 })
  t.equal(native.receiveMessage(theirs, into), undefined)
})

t.test("sendMessage() passes up to 16 descriptors, which are close-on-exec", async t => {
  const [ours, theirs] = socketPair(t)
  for (const count of [1, 16]) {
    const sent = Array.from({ length: count }, () => frame(t))
    native.sendMessage(ours, HELLO, sent)
    const received = native.receiveMessage(theirs, room())
    t.match(received, { bytes: 5, truncated: false })
    const fds = (received?.fds ?? []).map(fd => closing(t, fd))
    t.same(
      fds.map(fd => fstatSync(fd).ino),
      sent.map(fd => fstatSync(fd).ino),
      "in order",
    )
    for (const fd of fds) {
      const flags = Number.parseInt(
        /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "",
        8,
      )
      t.ok(flags & 0o2000000, "O_CLOEXEC")
    }
  }
})

t.test("receiveMessage() reports a message that does not fit and closes its descriptors", async t => {
  leaksNothing(t, () =>
    withPair((ours, theirs) => {
      const fd = native.createFrame(4096, "passed")
      native.sendMessage(ours, HELLO, [fd, fd])
      native.closeFd(fd)
      t.same(native.receiveMessage(theirs, new Uint8Array(4)), { bytes: 4, fds: [], truncated: true })
      t.equal(native.receiveMessage(theirs, new Uint8Array(4)), undefined, "the rest is gone")
    }),
  )
})

t.test("receiveMessage() reports descriptors that the kernel had to cut off, and keeps none", async t => {
  // A child whose limit leaves room for only some of the descriptors in the message.
  const [ours, theirs] = socketPair(t)
  native.sendMessage(
    ours,
    HELLO,
    Array.from({ length: 16 }, () => frame(t)),
  )
  const child = startNode(
    t,
    `
    const { readdirSync, openSync } = require("node:fs")
    const holes = () => 256 - readdirSync("/proc/self/fd").length
    while (holes() > 4) openSync("/dev/null")
    const before = readdirSync("/proc/self/fd").length
    const received = native.receiveMessage(3, new Uint8Array(64))
    const after = readdirSync("/proc/self/fd").length
    process.exit(received.truncated && received.fds.length === 0 && before === after ? 7 : 1)
  `,
    { fds: [theirs], memory: false, launcher: ["/usr/bin/prlimit", "--nofile=256:256"] },
  )
  t.same(await child.ended(), { code: 7 })
})

t.test("sendMessage() that is refused leaves no descriptor behind", async t => {
  leaksNothing(t, () =>
    withPair((ours, theirs) => {
      const fd = native.createFrame(4096, "passed")
      native.sendMessage(ours, HELLO, [fd, fd])
      native.closeFd(theirs)
      t.throws(() => native.sendMessage(ours, HELLO, [fd]), { code: "EPIPE", syscall: "sendmsg" })
      native.closeFd(fd)
    }),
  )
})

t.test("sendMessage() answers false when the socket is full, and true again afterwards", async t => {
  const [ours, theirs] = socketPair(t)
  const big = new Uint8Array(32768)
  let sent = 0
  while (native.sendMessage(ours, big, [])) sent++
  t.ok(sent > 0)
  for (let i = 0; i < sent; i++) native.receiveMessage(theirs, big)
  t.equal(native.sendMessage(ours, big, []), true)
})

t.test("receiveMessage() answers 0 bytes when the other side is gone", async t => {
  const [ours, theirs] = socketPair(t)
  native.closeFd(ours)
  t.same(native.receiveMessage(theirs, room()), { bytes: 0, fds: [], truncated: false })
})

t.test("receiveMessage() still delivers what a peer sent that went without reading", async t => {
  const [ours, theirs] = socketPair(t)
  native.sendMessage(theirs, HELLO, [])
  native.sendMessage(ours, Buffer.from("last words"), [])
  native.closeFd(ours)
  t.match(native.receiveMessage(theirs, room()), { bytes: 10 })
  t.match(native.receiveMessage(theirs, room()), { bytes: 0 })
})

t.test("callMessage() returns the answer of another process and closes descriptors in it", async t => {
  const [ours, theirs] = socketPair(t)
  startNode(
    t,
    `
    const into = new Uint8Array(8)
    for (;;) {
      const bytes = native.waitMessage(3, into, ${DEADLINE_MS})
      if (bytes === 0) break
      native.sendMessage(3, into.subarray(0, bytes).reverse(), [4, 4])
    }
  `,
    { fds: [theirs, frame(t)], memory: false },
  )
  native.closeFd(theirs)
  const into = new Uint8Array(8)
  t.equal(native.callMessage(ours, Uint8Array.of(1, 2, 3), into, DEADLINE_MS), 3)
  t.same([...into.subarray(0, 3)], [3, 2, 1])
  const before = openFds()
  for (let i = 0; i < 50; i++) native.callMessage(ours, Uint8Array.of(i), into, DEADLINE_MS)
  t.equal(openFds(), before)
})

t.test("callMessage() and waitMessage() end at their deadline", async t => {
  const [ours, theirs] = socketPair(t)
  const start = performance.now()
  t.throws(() => native.waitMessage(ours, room(), 20), { code: "ETIMEDOUT" })
  t.throws(() => native.callMessage(ours, HELLO, room(), 20), { code: "ETIMEDOUT" })
  const took = performance.now() - start
  t.ok(took >= 40 && took < 4000, `${took} ms`)
  t.match(native.receiveMessage(theirs, room()), { bytes: 5 }, "the request was sent all the same")
  while (native.sendMessage(ours, new Uint8Array(32768), []));
  t.throws(() => native.callMessage(ours, HELLO, room(), 20), { code: "ETIMEDOUT" }, "while sending")
  t.throws(() => native.waitMessage(ours, room(), 0), { code: "ETIMEDOUT" }, "without any wait")
})

t.test("callMessage() waits for room in a full socket", async t => {
  const [ours, theirs] = socketPair(t)
  while (native.sendMessage(ours, new Uint8Array(32768), []));
  startNode(
    t,
    `
    const into = new Uint8Array(32768)
    while (native.waitMessage(3, into, ${DEADLINE_MS}) !== 5);
    native.sendMessage(3, Uint8Array.of(1), [])
    native.waitMessage(3, into, ${DEADLINE_MS})
  `,
    { fds: [theirs], memory: false },
  )
  t.equal(native.callMessage(ours, HELLO, room(), DEADLINE_MS), 1)
})

t.test("callMessage() and waitMessage() tell that the other side is gone", async t => {
  const [ours, theirs] = socketPair(t)
  native.sendMessage(ours, HELLO, [])
  native.closeFd(theirs)
  t.equal(native.waitMessage(ours, room(), DEADLINE_MS), 0)
  t.throws(() => native.callMessage(ours, HELLO, room(), DEADLINE_MS), { code: "EPIPE" })
})

t.test("waitMessage() refuses an answer that does not fit", async t => {
  const [ours, theirs] = socketPair(t)
  native.sendMessage(theirs, HELLO, [])
  t.throws(() => native.waitMessage(ours, new Uint8Array(4), DEADLINE_MS), { code: "EMSGSIZE", syscall: "recvmsg" })
})

t.test("watchReadable() calls back for messages and the end, until it is ended", async t => {
  const [ours, theirs] = socketPair(t)
  t.equal(await readable(ours, 20), false, "silent while there is nothing")
  native.sendMessage(theirs, HELLO, [])
  t.equal(await readable(ours), true)
  let calls = 0
  const end = native.watchReadable(ours, () => {
    calls++
    end()
    end()
  })
  await new Promise(resolve => setTimeout(resolve, 20))
  t.equal(calls, 1, "still readable, but ended")
  native.receiveMessage(ours, room())
  native.closeFd(theirs)
  t.equal(await readable(ours), true, "the end is readable")
})

t.test("watchReadable() goes on after a peer that left messages unread", async t => {
  // Linux then reports an error on the socket, for which libuv stops watching.
  const [ours, theirs] = socketPair(t)
  native.sendMessage(ours, HELLO, [])
  native.sendMessage(theirs, HELLO, [])
  const seen: number[] = []
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, DEADLINE_MS)
    const end = native.watchReadable(ours, () => {
      const received = native.receiveMessage(ours, room())
      if (received === undefined) return
      seen.push(received.bytes)
      if (received.bytes > 0) return
      end()
      clearTimeout(timer)
      resolve()
    })
    native.closeFd(theirs)
  })
  t.same(seen, [5, 0])
})

t.test("watchReadable() hands an exception of its callback to the process", async t => {
  const [ours, theirs] = socketPair(t)
  native.sendMessage(theirs, HELLO, [])
  const child = startNode(
    t,
    `
    process.on("uncaughtException", error => process.exit(error.message === "mine" ? 7 : 1))
    native.watchReadable(3, () => { throw new Error("mine") })
  `,
    { fds: [ours], memory: false },
  )
  t.same(await child.ended(), { code: 7 })
})

t.test("watchReadable() runs promises between two callbacks", async t => {
  const [ours, theirs] = socketPair(t)
  native.sendMessage(theirs, HELLO, [])
  const order: string[] = []
  await new Promise<void>(resolve => {
    const end = native.watchReadable(ours, () => {
      order.push("callback")
      Promise.resolve().then(() => order.push("promise"))
      if (order.length > 2) {
        end()
        resolve()
      }
    })
  })
  t.same(order.slice(0, 3), ["callback", "promise", "callback"])
})

t.test("watchReadable() ends with a worker that is terminated", async t => {
  const [ours] = socketPair(t)
  const child = startNode(
    t,
    `
    const { Worker } = require("node:worker_threads")
    const worker = new Worker(\`
      const native = require(process.env.KAAL_ADDON)
      native.watchReadable(3, () => {})
      require("node:worker_threads").parentPort.postMessage("watching")
    \`, { eval: true })
    worker.once("message", async () => { await worker.terminate(); process.exit(7) })
  `,
    { fds: [ours], memory: false },
  )
  t.same(await child.ended(), { code: 7 })
})

t.test("watchReadable() refuses what cannot be watched", async t => {
  t.throws(() => native.watchReadable(9999, () => {}), { code: "EBADF" })
  t.throws(() => native.watchReadable(closing(t, openSync("/dev/null", "r")), () => {}), { code: "EPERM" })
  t.throws(() => native.watchReadable(0, undefined as unknown as () => void), {
    name: "TypeError",
    message: /^callback/,
  })
})

t.test("sockets refuse wrong arguments", async t => {
  const [ours] = socketPair(t)
  const cases = [
    [() => native.sendMessage(ours, new Uint8Array(0), []), "RangeError", /^message has 0 bytes/],
    [
      () => native.sendMessage(ours, HELLO, Array(255).fill(ours)),
      "RangeError",
      /^fds has 255 elements: must have at most 254/,
    ],
    [() => native.sendMessage(ours, HELLO, [-1]), "RangeError", /^fds is -1/],
    [
      () => native.sendMessage(ours, "x" as unknown as Uint8Array, []),
      "TypeError",
      /^message is x: must be a Uint8Array/,
    ],
    [() => native.receiveMessage(ours, new Uint8Array(0)), "RangeError", /^into has 0 bytes/],
    [() => native.waitMessage(ours, room(), Number.NaN), "RangeError", /^timeoutMs is NaN/],
    [() => native.sendMessage(9999, HELLO, []), "Error", /^sendmsg: Bad file descriptor \(EBADF\)/],
    [() => native.receiveMessage(9999, room()), "Error", /^recvmsg: Bad file descriptor \(EBADF\)/],
    [() => native.waitMessage(9999, room(), 0), "Error", /EBADF/],
  ] as const
  for (const [action, name, message] of cases) t.throws(action, { name, message }, message.source)
})
