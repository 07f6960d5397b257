// memfd.test.ts: frames and descriptors.
import { fstatSync, ftruncateSync, readlinkSync, readSync } from "node:fs"
import t from "tap"
import { native } from "../../native/index.ts"
import { closing, frame, openFds } from "../helpers/native.ts"

t.test("createFrame() makes zeroed, allocated memory of exactly the size asked for", async t => {
  const fd = frame(t, 8192)
  const { size, blocks } = fstatSync(fd)
  t.equal(size, 8192)
  t.equal(blocks * 512, 8192, "allocated already, so that no access can fail for lack of memory")
  const content = Buffer.alloc(8192, 1)
  t.equal(readSync(fd, content, 0, 8192, 0), 8192)
  t.ok(content.every(byte => byte === 0))
})

t.test("createFrame() seals the size both ways", async t => {
  const fd = frame(t, 8192)
  for (const bytes of [0, 4096, 12288]) t.throws(() => ftruncateSync(fd, bytes), { code: "EPERM" }, `to ${bytes}`)
  t.equal(fstatSync(fd).size, 8192)
})

t.test("createFrame() shows its label where the kernel lists descriptors", async t => {
  const fd = closing(t, native.createFrame(4096, "ring-7"))
  t.equal(readlinkSync(`/proc/self/fd/${fd}`), "/memfd:ring-7 (deleted)")
})

t.test("createFrame() refuses what is no frame and opens nothing", async t => {
  const before = openFds()
  const cases = [
    [0, "x", "RangeError", "bytes is 0: must be a positive multiple of the page size, 4096"],
    [4097, "x", "RangeError", "bytes is 4097: must be a positive multiple of the page size, 4096"],
    [-4096, "x", "RangeError", "bytes is -4096: must be a whole number from 0 to 9007199254740991"],
    [0.5, "x", "RangeError", "bytes is 0.5: must be a whole number from 0 to 9007199254740991"],
    [Number.NaN, "x", "RangeError", "bytes is NaN: must be a whole number from 0 to 9007199254740991"],
    ["4096", "x", "TypeError", "bytes is 4096: must be a whole number"],
    [4096, "x".repeat(250), "RangeError", "label has 250 bytes: must have at most 249"],
    [4096, 7, "TypeError", "label is 7: must be a string"],
  ] as const
  for (const [bytes, label, name, message] of cases) {
    t.throws(() => native.createFrame(bytes as number, label as string), { name, message }, message)
  }
  // More than any machine has. Without a look at what there is, this brings the out-of-memory killer.
  t.throws(() => native.createFrame(2 ** 52, "huge"), { code: "ENOMEM", syscall: "fallocate" })
  t.equal(openFds(), before)
})

t.test("duplicateFd() names the same memory and outlives the original", async t => {
  const first = frame(t)
  const second = closing(t, native.duplicateFd(first))
  t.not(second, first)
  t.equal(fstatSync(second).ino, fstatSync(first).ino)
  native.closeFd(first)
  t.equal(fstatSync(second).size, 4096)
  t.throws(() => native.duplicateFd(first), { code: "EBADF", syscall: "F_DUPFD_CLOEXEC", errno: 9 })
})

t.test("closeFd() reports a descriptor that is not open", async t => {
  const fd = frame(t)
  native.closeFd(fd)
  t.throws(() => native.closeFd(fd), { code: "EBADF", syscall: "close", errno: 9 })
  t.throws(() => native.closeFd(-1), { name: "RangeError", message: /^fd is -1/ })
})
