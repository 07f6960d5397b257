// build.test.ts: what scripts/build-native.mjs does around the compiler, in a small tree with a pretended cmake-js.
import { spawnSync } from "node:child_process"
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import t, { type Test } from "tap"
import { ADDON_VARIABLE, addonPath } from "../../native/index.ts"

const SCRIPT = fileURLToPath(new URL("../../scripts/build-native.mjs", import.meta.url))
const ADDON = process.env[ADDON_VARIABLE] ?? addonPath()

/** Notes that it was called, and puts a real addon where cmake-js would. */
const CMAKE_JS = `
  const fs = require("node:fs")
  fs.appendFileSync("calls", "called\\n")
  if (fs.existsSync("broken")) { console.error("no luck"); process.exit(3) }
  const out = process.argv[process.argv.indexOf("--out") + 1] + "/Release"
  fs.mkdirSync(out, { recursive: true })
  fs.copyFileSync(${JSON.stringify(ADDON)}, out + "/kaal.node")
  fs.writeFileSync(out + "/kaal-launcher", "launcher")
`

/**
 * A tree as after `npm install`, whose PATH holds the named programs only. Not below this one, whose node_modules it
 * would find.
 */
function tree(t: Test, programs: readonly string[]) {
  const root = mkdtempSync(join(tmpdir(), "kaal-build-"))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const files = {
    ...Object.fromEntries(programs.map(name => [`bin/${name}`, "#!/bin/sh\n"])),
    "scripts/build-native.mjs": readFileSync(SCRIPT, "utf8"),
    "native/sources.txt": "native/core/a.cc\n",
    "native/core/a.cc": "int a;\n",
    "CMakeLists.txt": "",
    "binding.gyp": "",
    "node_modules/node-addon-api/package.json": "{}",
    "node_modules/cmake-js/package.json": "{}",
    "node_modules/cmake-js/bin/cmake-js": CMAKE_JS,
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content, { mode: 0o755 })
  }
  const run = (...flags: string[]) => {
    const args = ["-i", `PATH=${join(root, "bin")}`, process.execPath, ...flags, join(root, "scripts/build-native.mjs")]
    const { status, stdout, stderr } = spawnSync("/usr/bin/env", args, { encoding: "utf8", timeout: 60_000 })
    return { status, stdout, stderr }
  }
  const calls = () =>
    existsSync(join(root, "calls")) ? readFileSync(join(root, "calls"), "utf8").split("\n").length - 1 : 0
  return { root, run, calls }
}

const quiet = { status: 0, stdout: "", stderr: "" }
const built = { ...quiet, stderr: "kaal-ipc: building the addon\n" }

t.test("the build runs once and then only after a change of the sources or the loss of its results", async t => {
  const { root, run, calls } = tree(t, ["c++", "make", "cmake"])
  t.same(run(), built)
  t.same(readdirSync(join(root, "build")), ["Release"], "no working folder is left")
  t.same(readdirSync(join(root, "build/Release")).sort(), ["kaal-launcher", "kaal.node", "kaal.stamp"])
  t.same(run(), quiet)
  t.equal(calls(), 1)
  appendFileSync(join(root, "native/core/a.cc"), "int b;\n")
  t.same(run(), built)
  t.equal(calls(), 2, "after a change")
  rmSync(join(root, "build/Release/kaal-launcher"))
  t.same(run(), built)
  t.equal(calls(), 3, "after a loss")
})

t.test("a build that fails shows why, keeps the old results and is tried again", async t => {
  const { root, run, calls } = tree(t, ["c++", "make", "cmake"])
  run()
  appendFileSync(join(root, "native/core/a.cc"), "int b;\n")
  appendFileSync(join(root, "broken"), "")
  const expected = {
    status: 1,
    stdout: "",
    stderr: "kaal-ipc: building the addon\nno luck\nkaal-ipc: cmake-js failed (status 3), see above\n",
  }
  t.same(run(), expected)
  t.same(run(), expected, "again")
  t.equal(calls(), 3)
  t.same(readdirSync(join(root, "build")), ["Release"])
  t.ok(existsSync(join(root, "build/Release/kaal.node")))
})

t.test("without a compiler one line names what to install", async t => {
  const cases = [
    [["apt-get"], "apt-get install -y g++ make cmake"],
    [["dnf"], "dnf install -y gcc-c++ make cmake"],
    [["apk"], "apk add g++ make cmake linux-headers"],
    [[], "install g++, make and cmake"],
    [["c++", "apt-get"], "apt-get install -y g++ make cmake"],
  ] as const
  for (const [programs, remedy] of cases) {
    const stderr = `kaal-ipc needs a C++ compiler and make to build its addon: ${remedy}\n`
    t.same(tree(t, programs).run(), { status: 1, stdout: "", stderr }, programs.join(" "))
  }
})

t.test("without CMake and without what node-gyp needs one line asks for CMake", async t => {
  const { run } = tree(t, ["c++", "make", "apt-get"])
  const stderr = "kaal-ipc needs CMake to build its addon: apt-get install -y cmake\n"
  t.same(run(), { status: 1, stdout: "", stderr })
})

t.test("before node_modules exists nothing is built and nothing fails", async t => {
  const { root, run, calls } = tree(t, ["c++", "make", "cmake"])
  rmSync(join(root, "node_modules"), { recursive: true })
  t.match(run(), { status: 0, stdout: /^kaal-ipc: no node_modules yet[^\n]*\n$/, stderr: "" })
  t.equal(calls(), 0)
  t.notOk(existsSync(join(root, "build")))
})

t.test("other systems than Linux are refused in one line", async t => {
  const { run } = tree(t, ["c++", "make", "cmake"])
  const pretend = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"darwin"})'
  t.same(run("--import", pretend), {
    status: 1,
    stdout: "",
    stderr: "kaal-ipc runs on Linux only, this is darwin: use a Linux machine or container\n",
  })
})
