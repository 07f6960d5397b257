// vspace.test.ts: frames over the pages of a WebAssembly memory, seen from two processes.
import { closeSync, openSync, readFileSync } from "node:fs"
import { Worker } from "node:worker_threads"
import t from "tap"
import { ADDON_VARIABLE, addonPath, native } from "../../native/index.ts"
import {
  attachedMemory,
  DEADLINE_MS,
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

/** Permissions of the page at `address`, "rw-s", and what is mapped there, as the kernel lists it. */
function pageAt(address: number): { permissions: string; path: string } {
  const base = baseOfMemory()
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const [range = "", permissions = "", , , , ...path] = line.split(/\s+/)
    const [start = "0", end = "0"] = range.split("-")
    const place = base + BigInt(address)
    if (BigInt(`0x${start}`) <= place && place < BigInt(`0x${end}`)) return { permissions, path: path.join(" ") }
  }
  throw new Error(`nothing at ${address}`)
}

let cachedBase: bigint | undefined
/** Found by mapping a frame with a name of its own at the first address that can be mapped. */
function baseOfMemory(): bigint {
  if (cachedBase === undefined) {
    attachedMemory()
    const fd = native.createFrame(4096, "find-the-base")
    native.map(PRIVATE_BYTES, 4096, fd, 1)
    const line =
      readFileSync("/proc/self/maps", "utf8")
        .split("\n")
        .find(line => line.includes("find-the-base")) ?? ""
    native.unmap(PRIVATE_BYTES, 4096)
    native.closeFd(fd)
    cachedBase = BigInt(`0x${line.split("-")[0]}`) - BigInt(PRIVATE_BYTES)
  }
  return cachedBase
}

t.test("attachMemory() leaves only [one page, privateBytes) accessible", async t => {
  attachedMemory()
  t.equal(pageAt(0).permissions, "---p")
  t.equal(pageAt(4096).permissions, "rw-p")
  t.equal(pageAt(PRIVATE_BYTES - 4096).permissions, "rw-p")
  t.equal(pageAt(PRIVATE_BYTES).permissions, "---p")
  t.equal(pageAt(MEMORY_BYTES - 4096).permissions, "---p")
})

t.test("attachMemory() again with the same memory keeps what is mapped", async t => {
  const view = mapped(t, frame(t), PLACE, 3)
  view[0] = 42
  native.attachMemory(new Uint8Array(attachedMemory().buffer), PRIVATE_BYTES)
  t.equal(view[0], 42)
})

t.test("attachMemory() refuses other memories and wrong bounds", async t => {
  const whole = new Uint8Array(attachedMemory().buffer)
  const other = new Uint8Array(new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true }).buffer)
  t.throws(() => native.attachMemory(other, 4096), { name: "RangeError", message: /^memory is another one/ })
  t.throws(() => native.attachMemory(whole, 4096), { message: /^privateBytes is 4096: the memory is attached already/ })
  t.throws(() => native.attachMemory(new Uint8Array(4096), 4096), { name: "TypeError", message: /not shared/ })
  // V8 takes it from malloc, at a page's beginning by chance: mapping over it would share private heap.
  const plain = new Uint8Array(new SharedArrayBuffer(1024 * 1024 + 8), 8)
  t.throws(() => native.attachMemory(plain, 4096), { name: "RangeError", message: /not whole pages/ })
  for (const bytes of [0, 100, MEMORY_BYTES + 4096]) {
    t.throws(() => native.attachMemory(whole, bytes), { name: "RangeError", message: `privateBytes is ${bytes}: must` })
  }
  t.throws(() => native.attachMemory({} as Uint8Array, 4096), { name: "TypeError", message: /^memory is .*Uint8Array/ })
})

t.test("map() shows one frame in two processes, at different addresses, both ways", async t => {
  attachedMemory()
  const fd = frame(t, 8192)
  const view = mapped(t, fd, PLACE, 3, 8192)
  const [ours, theirs] = socketPair(t)
  view[0] = 17
  const child = startNode(
    t,
    `
    native.map(${4 * PRIVATE_BYTES}, 8192, 4, 3)
    const place = ${4 * PRIVATE_BYTES}
    if (bytes[place] !== 17) process.exit(1)
    bytes[place + 8191] = 99
    native.sendMessage(3, new Uint8Array(1), [])
  `,
    { fds: [theirs, fd] },
  )
  t.ok(await readable(ours), "the child has written")
  t.equal(view[8191], 99)
  t.same(await child.ended(), { code: 0 })
})

t.test("map() with permission 1 is read-only for the processor", async t => {
  attachedMemory()
  mapped(t, frame(t), PLACE, 1)
  t.equal(pageAt(PLACE).permissions, "r--s")
})

t.test(
  "map() of a descriptor that was opened read-only is never writable, and a refusal keeps the mapping",
  async t => {
    attachedMemory()
    const fd = frame(t)
    const readOnly = openSync(`/proc/self/fd/${fd}`, "r")
    try {
      mapped(t, readOnly, PLACE, 1)
      t.throws(() => native.map(PLACE, 4096, readOnly, 3), { code: "EACCES", syscall: "mmap" })
      t.match(pageAt(PLACE), { permissions: "r--s", path: "/memfd:test (deleted)" })
    } finally {
      closeSync(readOnly)
    }
  },
)

t.test("unmap() drops the frame and makes the pages inaccessible", async t => {
  attachedMemory()
  const fd = frame(t, 8192)
  native.map(PLACE, 8192, fd, 3)
  t.match(pageAt(PLACE), { permissions: "rw-s", path: "/memfd:test (deleted)" })
  native.unmap(PLACE, 4096)
  t.match(pageAt(PLACE), { permissions: "---p", path: "" })
  t.match(pageAt(PLACE + 4096), { permissions: "rw-s" }, "the rest stays")
  native.unmap(PLACE, 8192)
  t.match(pageAt(PLACE + 4096), { permissions: "---p", path: "" }, "pages that are not mapped may be unmapped")
})

t.test("map() and unmap() refuse ranges outside the frames' part", async t => {
  attachedMemory()
  const fd = frame(t)
  const cases = [
    [PLACE + 1, 4096, /^address is 2097153: must be a multiple of 4096 from 1048576/],
    [0, 4096, /^address is 0: must be/],
    [PRIVATE_BYTES - 4096, 4096, /^address is 1044480: must be/],
    [MEMORY_BYTES, 4096, /^bytes is 4096: must be a multiple of 4096 from 4096 to 0, the memory's end/],
    [MEMORY_BYTES + 4096, 4096, /^address is 16781312: must be/],
    [2 ** 53 - 4096, 4096, /^address is 9007199254736896: must be/],
    [MEMORY_BYTES - 4096, 8192, /^bytes is 8192: must be/],
    [PLACE, 2 ** 53 - 4096, /^bytes is 9007199254736896: must be/],
    [PLACE, 0, /^bytes is 0: must be/],
    [PLACE, 100, /^bytes is 100: must be/],
  ] as const
  for (const [address, bytes, message] of cases) {
    t.throws(() => native.map(address, bytes, fd, 1), { name: "RangeError", message }, `map ${address} ${bytes}`)
    t.throws(() => native.unmap(address, bytes), { name: "RangeError", message }, `unmap ${address} ${bytes}`)
  }
  for (const permissions of [0, 2, 4, 5, 7]) {
    t.throws(() => native.map(PLACE, 4096, fd, permissions), {
      name: "RangeError",
      message: `permissions is ${permissions}: must be 1 (read) or 3 (read and write)`,
    })
  }
  t.throws(() => native.map(PLACE, 8192, fd, 1), { code: "EINVAL" }, "beyond the frame's end")
  t.equal(pageAt(PLACE).permissions, "---p", "nothing has changed")
})

t.test("nothing works before attachMemory(), and the refusal says so", async t => {
  const child = startNode(
    t,
    `
    const refused = action => {
      try { action() } catch (error) { return /call attachMemory first/.test(error.message) }
    }
    const all = [() => native.map(4096, 4096, 3, 1), () => native.unmap(4096, 4096), () => native.futexWake(4, 1)]
    process.exit(all.every(refused) ? 7 : 1)
  `,
    { fds: [frame(t)], memory: false },
  )
  t.same(await child.ended(), { code: 7 })
})

for (const call of ["adoptMemory(bytes)", `attachMemory(bytes, ${PRIVATE_BYTES})`]) {
  t.test(`${call} in a worker lets it use the process's memory, and changes no page`, async t => {
    const view = mapped(t, frame(t), PLACE, 3)
    view[0] = 5
    const answer = await fromWorker(
      frame(t),
      `
      native.${call}
      native.map(${PLACE + 4096}, 4096, workerData.fd, 3)
      bytes[${PLACE + 4096}] = 6
      parentPort.postMessage(bytes[${PLACE}])`,
    )
    t.equal(answer, 5)
    t.equal(
      new Uint8Array(attachedMemory().buffer)[PLACE + 4096],
      6,
      "mapped for all threads, after the worker's end too",
    )
    native.unmap(PLACE + 4096, 4096)
  })
}

t.test("adoptMemory() refuses another memory than the process's", async t => {
  attachedMemory()
  const answer = await fromWorker(
    frame(t),
    `
    const other = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true })
    try { native.adoptMemory(new Uint8Array(other.buffer)) } catch (error) { parentPort.postMessage(error.message) }`,
  )
  t.match(answer, /^memory is another one than this process has attached/)
})

/** Runs `body` in a worker with the process's memory as `bytes`, and `fd`. Resolves after its end to what it posted. */
async function fromWorker(fd: number, body: string): Promise<unknown> {
  const script = `
    const { workerData, parentPort } = require("node:worker_threads")
    const native = require(workerData.addon)
    const bytes = new Uint8Array(workerData.memory.buffer)
    ${body}`
  const workerData = { addon: process.env[ADDON_VARIABLE] ?? addonPath(), memory: attachedMemory(), fd }
  const worker = new Worker(script, { eval: true, workerData, env: {}, execArgv: [] })
  const timer = setTimeout(() => worker.terminate(), DEADLINE_MS)
  return new Promise((resolve, reject) => {
    let answer: unknown
    worker.once("message", message => {
      answer = message
    })
    worker.once("error", reject)
    worker.once("exit", () => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

t.test("map() and unmap() leave no descriptor behind", async t => {
  attachedMemory()
  const fd = frame(t)
  const before = openFds()
  for (let i = 0; i < 100; i++) {
    native.map(PLACE, 4096, fd, 3)
    native.unmap(PLACE, 4096)
  }
  t.equal(openFds(), before)
})
