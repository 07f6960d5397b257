// process.test.ts: spawning, reaping and signalling, and the launcher that ties a component's life to its parent's.
import { openSync, readFileSync, readlinkSync } from "node:fs"
import t, { type Test } from "tap"
import { launcherPath, native, type SpawnOptions } from "../../native/index.ts"
import {
  closing,
  DEADLINE_MS,
  eventually,
  frame,
  openFds,
  readable,
  socketPair,
  start,
  startNode,
} from "../helpers/native.ts"

/** What a child writes to its descriptor 3, a socket whose other end we read. */
function textFrom(t: Test, argv: readonly string[], more: readonly number[] = []) {
  const [ours, theirs] = socketPair(t)
  const child = start(t, argv, [theirs, ...more])
  native.closeFd(theirs)
  const into = new Uint8Array(65536)
  let text = ""
  for (;;) {
    const bytes = native.waitMessage(ours, into, DEADLINE_MS)
    if (bytes === 0) break
    text += Buffer.from(into.subarray(0, bytes)).toString()
  }
  return { text, child }
}

t.test("spawn() hands over exactly the arguments and the environment given", async t => {
  const [ours, theirs] = socketPair(t)
  const nowhere = closing(t, openSync("/dev/null", "r+"))
  const script = 'printf "%s|" "$0" "$@" >&3; env >&3'
  const argv = ["sh", "-c", script, "zero", "one two", "", "drei€"]
  const { pid, pidfd } = native.spawn({
    file: "/bin/sh",
    argv,
    env: ["A=1", "B=x y"],
    fds: [nowhere, nowhere, 2, theirs],
  })
  closing(t, pidfd)
  native.closeFd(theirs)
  t.ok(await readable(pidfd))
  t.same(native.reap(pid), { code: 0 })
  const into = new Uint8Array(4096)
  let text = ""
  for (let bytes = 1; bytes > 0; ) {
    bytes = native.waitMessage(ours, into, DEADLINE_MS)
    text += Buffer.from(into.subarray(0, bytes)).toString()
  }
  t.equal(text.slice(0, text.lastIndexOf("|")), "zero|one two||drei€")
  // The shell adds PWD and the like; nothing of ours may come through.
  const names = text
    .slice(text.lastIndexOf("|") + 1)
    .split("\n")
    .filter(Boolean)
    .map(line => line.split("=")[0])
  t.same(
    names.filter(name => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name as string)),
    ["A", "B"],
  )
})

t.test("spawn() puts the descriptors in order, whatever their numbers, and closes every other one", async t => {
  const nowhere = closing(t, openSync("/dev/null", "r"))
  const spare = closing(t, openSync("/dev/zero", "r"))
  closing(t, native.duplicateFd(spare))
  const script = "for fd in 3 4 5; do readlink /proc/$$/fd/$fd >&3; done; exec /bin/ls /proc/self/fd >&3"
  const { text } = textFrom(t, ["/bin/sh", "-c", script], [spare, nowhere])
  t.match(text, /^socket:\[\d+\]\n\/dev\/zero\n\/dev\/null\n/)
  t.match(text, /null\n0\n1\n2\n3\n4\n5\n6\n$/, "six descriptors, and the one that ls has just opened")
})

t.test("spawn() survives descriptors that are permuted", async t => {
  const [ours, theirs] = socketPair(t)
  // The child's 0 is our 2 and its 2 is our 0: plain dup2 calls in order would lose one of them.
  const fds = [2, theirs, 0, 1]
  const expected = [2, 0, 1].map(fd => readlinkSync(`/proc/self/fd/${fd}`))
  const argv = ["readlink", "/proc/self/fd/0", "/proc/self/fd/2", "/proc/self/fd/3"]
  const { pid, pidfd } = native.spawn({ file: "/bin/readlink", argv, env: [], fds })
  closing(t, pidfd)
  t.ok(await readable(pidfd))
  t.same(native.reap(pid), { code: 0 })
  const into = new Uint8Array(4096)
  const text = Buffer.from(into.subarray(0, native.waitMessage(ours, into, DEADLINE_MS))).toString()
  t.same(text.split("\n").slice(0, 3), expected)
})

t.test("spawn() passes nothing on that it was not told to, and can fill a 0 that is closed", async t => {
  const [ours, theirs] = socketPair(t)
  // Node makes the descriptors that it finds close-on-exec, up to the first gap, so 40 stays inheritable.
  const launcher = ["/bin/bash", "-c", 'exec 40</dev/zero; exec "$0" "$@"']
  startNode(
    t,
    `
    native.closeFd(0)
    const { pid, pidfd } = native.spawn({ file: "/bin/ls", argv: ["ls", "/proc/self/fd"], env: [], fds: [40, 3, 2] })
    native.watchReadable(pidfd, () => process.exit(native.reap(pid).code))
  `,
    { fds: [theirs], memory: false, launcher },
  )
  const into = new Uint8Array(4096)
  const text = Buffer.from(into.subarray(0, native.waitMessage(ours, into, DEADLINE_MS))).toString()
  t.equal(text, "0\n1\n2\n3\n", "three, and the one that ls has just opened")
})

t.test("spawn() starts the child with no signal blocked and none ignored", async t => {
  const { text } = textFrom(t, ["/bin/sh", "-c", "exec /bin/grep -E 'Sig(Blk|Ign)' /proc/self/status >&3"])
  // Node itself ignores SIGPIPE, so an inherited set would show.
  t.match(readFileSync("/proc/self/status", "utf8"), /SigIgn:\t0*1000/)
  t.match(text, /SigBlk:\t0{16}\nSigIgn:\t0{16}\n/)
})

t.test("spawn() reports a file that cannot be executed, and leaves nothing behind", async t => {
  const before = openFds()
  const children = () => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim()
  const childrenBefore = children()
  const options = { argv: ["x"], env: [], fds: [0, 1, 2] }
  t.throws(() => native.spawn({ ...options, file: "/nowhere/at/all" }), { code: "ENOENT", syscall: "execve" })
  t.throws(() => native.spawn({ ...options, file: "/etc/passwd" }), { code: "EACCES", syscall: "execve" })
  t.throws(() => native.spawn({ ...options, file: "/bin/true", fds: [0, 9999] }), { code: "EBADF" })
  t.equal(openFds(), before)
  t.equal(children(), childrenBefore, "not even a zombie")
})

t.test("spawn() refuses wrong options", async t => {
  const good = { file: "/bin/true", argv: ["true"], env: [], fds: [] }
  const cases = [
    [undefined, "TypeError", /^options is not an object/],
    [{ ...good, file: 1 }, "TypeError", /^file is 1: must be a string/],
    [{ ...good, argv: "true" }, "TypeError", /^argv is true: must be an array/],
    [{ ...good, argv: [1] }, "TypeError", /^argv is 1: must be a string/],
    [{ ...good, env: ["A=\0"] }, "RangeError", /^env is A=.*without a zero byte/],
    [{ ...good, fds: [-1] }, "RangeError", /^fds is -1/],
  ] as const
  for (const [options, name, message] of cases) {
    t.throws(() => native.spawn(options as unknown as SpawnOptions), { name, message }, message.source)
  }
})

t.test("reap() tells exit codes from signals, and a running process from an ended one", async t => {
  t.same(await start(t, ["/bin/sh", "-c", "exit 0"]).ended(), { code: 0 })
  t.same(await start(t, ["/bin/sh", "-c", "exit 255"]).ended(), { code: 255 })
  for (const signal of ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGBUS"]) {
    const child = start(t, ["/bin/sleep", "60"])
    t.equal(native.reap(child.pid), undefined)
    t.equal(native.sendSignal(child.pidfd, signal), true)
    t.same(await child.ended(), { signal })
  }
})

t.test("reap() is for one child only", async t => {
  const child = start(t, ["/bin/true"])
  t.ok(await readable(child.pidfd))
  t.throws(() => native.reap(process.pid), { code: "ECHILD", syscall: "waitpid" })
  for (const pid of [0, -1]) t.throws(() => native.reap(pid), { name: "RangeError", message: `pid is ${pid}: must` })
  t.same(await child.ended(), { code: 0 }, "none of these took it")
  t.throws(() => native.reap(child.pid), { code: "ECHILD" }, "twice")
})

t.test("sendSignal() answers false for a process that is gone", async t => {
  const child = start(t, ["/bin/true"])
  await child.ended()
  t.equal(native.sendSignal(child.pidfd, "SIGTERM"), false)
  t.throws(() => native.sendSignal(child.pidfd, "SIGNOTHING"), { name: "RangeError", message: /^signal is SIGNOTHING/ })
  t.throws(() => native.sendSignal(frame(t), "SIGTERM"), { code: "EBADF", syscall: "pidfd_send_signal" })
})

t.test("spawn() leaves no descriptor behind but the pidfd", async t => {
  const before = openFds()
  for (let i = 0; i < 20; i++) {
    const { pid, pidfd } = native.spawn({ file: "/bin/true", argv: ["true"], env: [], fds: [0, 1, 2] })
    await readable(pidfd)
    native.reap(pid)
    native.closeFd(pidfd)
  }
  t.equal(openFds(), before)
})

t.test("kaal-launcher takes core files and new privileges away, keeps the rest, and becomes the program", async t => {
  const script = "grep NoNewPrivs /proc/self/status >&3; grep 'Max core' /proc/self/limits >&3; echo $$ $0 $1 >&3"
  const { text, child } = textFrom(t, [launcherPath(), String(process.pid), "/bin/sh", "-c", script, "name", "arg"])
  t.match(text, /NoNewPrivs:\t1\n/)
  t.match(text, /Max core file size +0 +0 /)
  t.match(text, new RegExp(`${child.pid} name arg\n$`))
})

t.test("kaal-launcher refuses to start what would have no parent", async t => {
  const parent = String(process.pid)
  const cases = [
    [["1", "/bin/true"], /^kaal-launcher: the parent named in argument 1: No such process\n$/],
    [["x", "/bin/true"], /^kaal-launcher: the parent named in argument 1: No such process\n$/],
    [[parent], /^usage: kaal-launcher PARENT-PID \[--guarded\] \[--user-id \| --namespace \| --filter\] PROGRAM/],
    [[parent, "/nowhere"], /^kaal-launcher: \/nowhere: No such file or directory\n$/],
  ] as const
  for (const [argv, message] of cases) {
    const [ours, theirs] = socketPair(t)
    const nowhere = closing(t, openSync("/dev/null", "r+"))
    const file = launcherPath()
    const { pid, pidfd } = native.spawn({ file, argv: [file, ...argv], env: [], fds: [nowhere, nowhere, theirs] })
    closing(t, pidfd)
    t.ok(await readable(pidfd))
    t.same(native.reap(pid), { code: 1 })
    const into = new Uint8Array(1024)
    t.match(Buffer.from(into.subarray(0, native.waitMessage(ours, into, DEADLINE_MS))).toString(), message)
  }
  t.same(await start(t, [launcherPath(), parent, "/bin/true"]).ended(), { code: 0 }, "with its parent it starts")
})

t.test("kaal-launcher: what it started dies when its parent is killed", async t => {
  const [ours, theirs] = socketPair(t)
  // The child starts a grandchild through the launcher; both are killed or neither.
  const child = startNode(
    t,
    `
    const env = []
    const argv = [${JSON.stringify(launcherPath())}, String(process.pid), "/bin/sleep", "60"]
    const grandchild = native.spawn({ file: argv[0], argv, env, fds: [0, 1, 2] })
    native.sendMessage(3, Uint8Array.of(1), [grandchild.pidfd])
    setInterval(() => {}, 1000)
  `,
    { fds: [theirs], memory: false },
  )
  t.ok(await readable(ours))
  const pidfd = closing(t, native.receiveMessage(ours, new Uint8Array(1))?.fds[0] as number)
  t.ok(await eventually(() => isSleeping(pidfd)), "the grandchild is past the launcher")
  t.equal(await readable(pidfd, 0), false, "and lives")
  native.sendSignal(child.pidfd, "SIGKILL")
  t.same(await child.ended(), { signal: "SIGKILL" })
  t.ok(await readable(pidfd), "the grandchild has ended")
})

/** True when the process behind `pidfd` has become /bin/sleep. */
function isSleeping(pidfd: number): boolean {
  const pid = /Pid:\t(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${pidfd}`, "utf8"))?.[1]
  return readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n"
}
