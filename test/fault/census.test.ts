// census.test.ts: what every test of a system asks about at its end is seen when it is there.

import { spawn } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import t from "tap"
import { native } from "../../native/index.ts"
import { census, inSession } from "../helpers/census.ts"
import { heldBy } from "../helpers/holdings.ts"
import { eventually } from "../helpers/system.ts"

const SOON_MS = 200

t.test("who goes on in the session of a run's guard is told of, until it ends", async t => {
  // As the command does it: the guard leads a session of its own, and here outlives the command.
  const script = `
    const { spawn } = require("node:child_process")
    console.log(spawn("/bin/sh", ["-c", "sleep 60; :", "sh", "--guard", "1"], { detached: true, stdio: "ignore" }).pid)
    setTimeout(() => process.exit(), 1000)`
  const command = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] })
  const left = census(command.pid ?? 0, SOON_MS)
  const session = Number(await new Promise(resolve => command.stdout.once("data", resolve)))
  t.teardown(() => {
    for (const { pid } of inSession(session)) process.kill(pid)
  })
  await new Promise(resolve => command.once("close", resolve))
  t.match(await left(), [/^process \d+: .*sleep 60/], "the guard and whom it started")
  for (const { pid } of inSession(session)) process.kill(pid, "SIGKILL")
  await eventually("they end", 5_000, () => (inSession(session).length === 0 ? true : undefined))
  t.same(await left(), [])
})

t.test("a file, and a memory that is still open here, are told of", async t => {
  const left = census(process.pid, SOON_MS)
  t.same(await left(), [])
  const file = `/dev/shm/kaal-census-${process.pid}`
  writeFileSync(file, "")
  const memory = native.createFrame(4096, "kaal-status")
  t.teardown(() => rmSync(file, { force: true }))
  const found = await left()
  t.ok(found.includes(file), String(found))
  t.ok(found.some(each => each.includes("memfd:kaal-status")))
  t.equal(found.length, 2, "and nothing else")
  native.closeFd(memory)
  rmSync(file)
  t.same(await left(), [])
})

t.test("as many descriptors of larger memories are not the same holdings, as many of the same size are", async t => {
  const holding = (bytes: number): string => {
    const memory = native.createFrame(bytes, "frame-7")
    const duplicate = native.duplicateFd(memory)
    const held = heldBy(process.pid)
    for (const fd of [memory, duplicate]) native.closeFd(fd)
    return held
  }
  const before = heldBy(process.pid)
  const [page, twoPages] = [holding(4096), holding(8192)]
  t.equal(holding(4096), page)
  t.not(twoPages, page)
  const bytesIn = (text: string) => Number(/(\d+) bytes of memfds/.exec(text)?.[1])
  t.same(
    [page, twoPages].map(bytesIn),
    [4096, 8192].map(bytes => bytesIn(before) + bytes),
    "each memory once",
  )
  t.equal(heldBy(process.pid), before)
})
