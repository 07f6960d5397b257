// memory-table.test.ts: the descriptors of memories, and that none is left behind where they run out.

import { readdirSync } from "node:fs"
import t from "tap"
import { Permission } from "../../src/kernel-daemon/abi/rights.ts"
import { MemoryTable } from "../../src/kernel-daemon/broker/memory-table.ts"

const { read, write } = Permission
const count = () => readdirSync("/proc/self/fd").length

t.test("create() acquires what readers need where it is asked to, else fdFor() does", async t => {
  for (const forReaders of [true, false]) {
    const table = new MemoryTable()
    const before = count()
    table.create(1, { bytes: 4096, label: "test", forReaders }, refused => t.equal(refused, undefined))
    t.equal(count(), before + (forReaders ? 2 : 1))
    t.not(table.fdFor(1, read), table.fdFor(1, read | write))
    t.equal(count(), before + 2)
    table.destroy(1)
    t.equal(count(), before)
  }
})

t.test("create() that has only one descriptor of two leaves neither", async t => {
  const table = new MemoryTable()
  const before = count()
  const create = (memory: number, forReaders: boolean) => {
    let outcome: unknown
    table.create(memory, { bytes: 4096, label: "test", forReaders }, refused => {
      outcome = refused?.message ?? "created"
    })
    return outcome
  }
  let last = 0
  while (create(last + 1, false) === "created") last += 1
  t.ok(last > 0)
  table.destroy(last)
  t.match(create(last, true), /the daemon's descriptors are used up/)
  t.notOk(table.has(last))
  t.equal(create(last, false), "created", "the positive twin: one is to be had")
  for (let memory = 1; memory <= last; memory++) table.destroy(memory)
  t.equal(count(), before)
})
