// confinement.test.ts: what the launcher takes from a program, namespaces, the system call filter, sealed files.

import { closeSync, fstatSync, openSync, readFileSync, statSync, writeSync } from "node:fs"
import t, { type Test } from "tap"
import { launcherPath, native } from "../../native/index.ts"
import { isReadable, startConfined } from "../../src/kernel-daemon/broker/confinement-run.ts"
import { noNamespaces, noUserIds } from "../helpers/confinement.ts"
import { closing, eventually, startNode } from "../helpers/native.ts"

const FIRST_USER_ID = 0x7ca0_0000

const openShell = (t: Test): number => {
  const shell = openSync("/bin/sh", "r")
  t.teardown(() => closeSync(shell))
  return shell
}

const fieldOf = (status: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(status)?.[1]?.trim() ?? ""

t.test(
  "--user-id: a user of its own, without groups, capabilities and core files",
  {
    skip: noUserIds,
  },
  t => {
    const script = "cat /proc/$$/status; ulimit -c; ulimit -n"
    const program = startConfined("user-id", openShell(t), ["-c", script])
    const { status, output } = program.end()
    t.equal(status.code, 0, output)
    const id = String(FIRST_USER_ID + program.pid)
    t.equal(fieldOf(output, "Uid"), [id, id, id, id].join("\t"), "real, effective, saved, file system")
    t.equal(fieldOf(output, "Gid"), [id, id, id, id].join("\t"))
    t.equal(fieldOf(output, "Groups"), "")
    for (const set of ["CapPrm", "CapEff", "CapAmb"]) t.match(fieldOf(output, set), /^0+$/, set)
    t.equal(fieldOf(output, "NoNewPrivs"), "1")
    t.equal(fieldOf(output, "Seccomp_filters"), "1", "io_uring is denied")
    t.match(output, /\n0\n256$/, "no core files, 256 descriptors")
    t.end()
  },
)

t.test(
  "--namespace: process 1 of a namespace, nobody of another, readable for its parent alone",
  { skip: noNamespaces },
  t => {
    const shell = openShell(t)
    const { status, output } = startConfined("namespace", shell, ["-c", "echo $$; id -u; cat /proc/self/uid_map"]).end()
    t.equal(status.code, 0, output)
    t.equal(output, "1\n65534", "no id is mapped")
    const waiting = startConfined("namespace", shell, ["-c", "read line <&3"])
    t.teardown(() => waiting.end("close"))
    t.ok(isReadable(waiting.pid))
    const namespace = (pid: number | string) => statSync(`/proc/${pid}/ns/user`).ino
    t.not(namespace(waiting.pid), namespace("self"))
    t.end()
  },
)

t.test("--filter: no privileges to be had, no io_uring, and otherwise the user that it was", t => {
  const { status, output } = startConfined("filter", openShell(t), ["-c", "cat /proc/$$/status; ulimit -n"]).end()
  t.equal(status.code, 0, output)
  t.equal(fieldOf(output, "Uid").split("\t")[0], String(process.getuid?.()))
  t.equal(fieldOf(output, "NoNewPrivs"), "1")
  t.equal(fieldOf(output, "Seccomp_filters"), "1", "io_uring is denied")
  t.match(output, /\n256$/, "256 descriptors")
  t.end()
})

t.test("--namespace: dies with its parent, which it cannot see", { skip: noNamespaces }, async t => {
  const { pidfd, pid } = startNode(
    t,
    `
    const [ours, theirs] = native.createSocketPair()
    const nothing = native.openNothing()
    const argv = [${JSON.stringify(launcherPath())}, String(process.pid), "--namespace", "/bin/sleep", "60"]
    native.spawn({ file: argv[0], argv, env: [], fds: [nothing, 1, 2, theirs], namespaces: true })
    setInterval(() => {}, 1000)`,
    { memory: false },
  )
  let child: string | undefined
  const sleeps = () => {
    child = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ")[0]
    return child !== "" && readFileSync(`/proc/${child}/cmdline`, "utf8").startsWith("/bin/sleep")
  }
  t.ok(await eventually(sleeps), "it has become the program")
  native.sendSignal(pidfd, "SIGKILL")
  const isGone = () => {
    try {
      return fieldOf(readFileSync(`/proc/${child}/status`, "utf8"), "State").startsWith("Z")
    } catch {
      return true
    }
  }
  t.ok(await eventually(isGone), "and is gone")
})

t.test("--namespace: refuses to start when the daemon is gone", { skip: noNamespaces }, t => {
  // Nobody is at the other end of what should be the daemon's socket: it is no socket at all.
  const nothing = closing(t, native.openNothing())
  const argv = ["kaal-launcher", "1", "--namespace", "/bin/true"]
  const child = native.spawn({
    file: launcherPath(),
    argv,
    env: [],
    fds: [nothing, nothing, nothing],
    namespaces: true,
  })
  t.teardown(() => native.closeFd(child.pidfd))
  return eventually(() => {
    const status = native.reap(child.pid)
    if (status !== undefined) t.same(status, { code: 1 })
    return status !== undefined
  }).then(ended => t.ok(ended))
})

t.test("confineProcess() holds for threads that were there before, and lets JavaScript go on", async t => {
  const child = startNode(
    t,
    `
    const { Worker } = require("node:worker_threads")
    const worker = new Worker(\`
      const { parentPort } = require("node:worker_threads")
      parentPort.once("message", () => {
        const socket = require("node:dgram").createSocket("udp4")
        socket.once("error", error => parentPort.postMessage(error.code)).once("listening", () => parentPort.postMessage("listening"))
        socket.bind()
      })
      parentPort.postMessage("ready")\`, { eval: true })
    worker.once("message", () => {
      native.confineProcess()
      worker.once("message", code => process.exit(code === "EPERM" ? 7 : 8))
      worker.postMessage("go")
    })`,
    { memory: false, launcher: [launcherPath(), String(process.pid)] },
  )
  t.same(await child.ended(), { code: 7 }, "a socket is refused in a worker that started before")
})

t.test("createSealedFile() is for reading and running, and for nobody to change", t => {
  const content = Buffer.from("#!/bin/sh\nexit 3\n")
  const fd = closing(t, native.createSealedFile(content, "test"))
  const path = `/proc/self/fd/${fd}`
  t.same(readFileSync(path), content)
  t.equal(fstatSync(fd).mode & 0o777, 0o555)
  t.throws(() => writeSync(fd, "x"), { code: "EPERM" }, "sealed, for who has the descriptor")
  t.throws(() => native.createSealedFile("text" as unknown as Uint8Array, "test"), TypeError)
  t.same(readFileSync(closing(t, native.createSealedFile(new Uint8Array(), "empty"))).length, 0)
  t.end()
})

t.test("hideProcess(): the process's folder in /proc is root's", t => {
  const before = statSync("/proc/self/mem").uid
  native.hideProcess()
  t.equal(before, process.getuid?.())
  t.equal(statSync("/proc/self/mem").uid, 0)
  // Nothing that the process does for itself is the worse for it.
  t.ok(readFileSync("/proc/self/maps").length > 0)
  t.end()
})
