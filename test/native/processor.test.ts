// processor.test.ts: processors of a thread, and the time stamp counter.
import { readFileSync } from "node:fs"
import t from "tap"
import { native } from "../../native/index.ts"

t.test("affinity() lists what the kernel lists", async t => {
  const text = /Cpus_allowed_list:\t(.*)/.exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1] ?? ""
  const listed = text.split(",").flatMap(range => {
    const [first = 0, last = first] = range.split("-").map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
  t.same(native.affinity(), listed)
})

t.test("setAffinity() pins the thread, and frees it again", async t => {
  const before = native.affinity()
  t.teardown(() => native.setAffinity(before))
  for (const cpu of before) {
    native.setAffinity([cpu])
    t.same(native.affinity(), [cpu])
  }
  native.setAffinity(before)
  t.same(native.affinity(), before)
})

t.test("setAffinity() refuses processors that are not there, and changes nothing", async t => {
  const before = native.affinity()
  t.throws(() => native.setAffinity([8191]), { code: "EINVAL", syscall: "sched_setaffinity" })
  t.throws(() => native.setAffinity([]), { name: "RangeError", message: /^cpus has 0 elements/ })
  t.throws(() => native.setAffinity([8192]), { name: "RangeError", message: /^cpus is 8192: must be .* to 8191/ })
  t.throws(() => native.setAffinity([0.5]), { name: "RangeError", message: /^cpus is 0.5/ })
  t.same(native.affinity(), before)
})

t.test("tsc() rises, at the rate that tscInfo() tells", async t => {
  const { constant, hz } = native.tscInfo()
  if (!constant) {
    t.equal(hz, 0, "no rate where the counter has none")
    return
  }
  t.equal(native.tscInfo().hz, hz, "measured once")
  const startNs = process.hrtime.bigint()
  const start = native.tsc()
  while (process.hrtime.bigint() - startNs < 50_000_000n);
  const measured = ((native.tsc() - start) * 1e9) / Number(process.hrtime.bigint() - startNs)
  t.ok(Math.abs(measured / hz - 1) < 0.01, `measured ${measured}, told ${hz}`)
  let last = native.tsc()
  let backwards = 0
  for (let i = 0; i < 100_000; i++) {
    const now = native.tsc()
    if (now < last) backwards++
    last = now
  }
  t.equal(backwards, 0)
})
