// build-native.mjs: builds the addon and the launcher into build/Release, unless they are up to date.
// Run by npm install and before the tests. Node's built-ins only, since it runs before anything else is known to work.

import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { createRequire } from "node:module"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const release = join(root, "build", "Release")
const stamp = join(release, "kaal.stamp")
const require = createRequire(import.meta.url)

class BuildFailure extends Error {}

try {
  main()
} catch (error) {
  if (!(error instanceof BuildFailure)) throw error
  console.error(error.message)
  process.exitCode = 1
}

function main() {
  if (process.platform !== "linux") {
    throw new BuildFailure(`kaal-ipc runs on Linux only, this is ${process.platform}: use a Linux machine or container`)
  }
  const headers = packageFolder("node-addon-api")
  if (headers === undefined) {
    console.log("kaal-ipc: no node_modules yet, so the addon is not built; npm install will")
    return
  }
  const inputs = hashOfInputs(headers)
  if (isBuilt(inputs)) return
  requireCompiler()
  build(inputs)
}

/** What the outputs depend on. Not Node's version: one Node-API binary serves them all. */
function hashOfInputs(headers) {
  const files = ["CMakeLists.txt", "binding.gyp", "scripts/build-native.mjs", "native/sources.txt"]
  for (const folder of ["core", "binding", "launcher", "reference"]) {
    const path = join("native", folder)
    if (!existsSync(join(root, path))) continue
    for (const name of readdirSync(join(root, path)).sort()) {
      if (/\.(cc|h)$/.test(name)) files.push(join(path, name))
    }
  }
  const hash = createHash("sha256")
    .update(process.arch)
    .update(readFileSync(join(headers, "package.json")))
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

function isBuilt(inputs) {
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== inputs) return false
  return existsSync(join(release, "kaal.node")) && existsSync(join(release, "kaal-launcher"))
}

/**
 * Builds in a folder of its own and renames the results into place. So two builds at once do not disturb each other,
 * and a process that has the old addon loaded keeps it.
 */
function build(inputs) {
  mkdirSync(release, { recursive: true })
  const work = mkdtempSync(join(root, "build", "work-"))
  try {
    const cmakeJs = packageFolder("cmake-js")
    if (cmakeJs !== undefined && findProgram("cmake") !== undefined) buildWithCMake(cmakeJs, work)
    else buildWithNodeGyp(work)
    const built = join(work, "build", "Release")
    require(join(built, "kaal.node"))
    for (const name of ["kaal.node", "kaal-launcher", "kaal-reference"]) {
      if (existsSync(join(built, name))) renameSync(join(built, name), join(release, name))
    }
    writeFileSync(join(work, "stamp"), inputs)
    renameSync(join(work, "stamp"), stamp)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function buildWithCMake(cmakeJs, work) {
  run(
    "cmake-js",
    join(cmakeJs, "bin", "cmake-js"),
    ["compile", "--directory", root, "--out", join(work, "build")],
    root,
  )
}

/** node-gyp builds below the folder of binding.gyp, so it is shown the tree through links. */
function buildWithNodeGyp(work) {
  const nodeGyp = findNodeGyp()
  if (nodeGyp === undefined || findProgram("python3") === undefined) {
    throw new BuildFailure(`kaal-ipc needs CMake to build its addon: ${installLine("cmake")}`)
  }
  for (const name of ["native", "binding.gyp", "package.json"]) symlinkSync(join(root, name), join(work, name))
  symlinkSync(dirname(packageFolder("node-addon-api")), join(work, "node_modules"))
  const args = ["rebuild", "--jobs", "max", "--devdir", join(work, "headers")]
  // Headers that came with Node spare a download.
  const prefix = dirname(dirname(process.execPath))
  if (existsSync(join(prefix, "include", "node", "common.gypi"))) args.push("--nodedir", prefix)
  run("node-gyp", nodeGyp, args, work)
}

function run(name, script, args, cwd) {
  console.error("kaal-ipc: building the addon")
  const result = spawnSync(process.execPath, [script, ...args], { cwd, env: cleanEnvironment(), encoding: "utf8" })
  if (result.status === 0) return
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`)
  throw new BuildFailure(`kaal-ipc: ${name} failed (${result.signal ?? `status ${result.status}`}), see above`)
}

/** Without what npm or a test runner put there for other programs: the build is the same however it is started. */
function cleanEnvironment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== "NODE_OPTIONS" && !/^npm_/i.test(name)),
  )
}

function requireCompiler() {
  const named = process.env.CXX
  const candidates = named === undefined || named === "" ? ["c++", "g++", "clang++"] : [named]
  const make = ["ninja", "make"].some(name => findProgram(name) !== undefined)
  if (make && candidates.some(name => findProgram(name) !== undefined)) return
  throw new BuildFailure(`kaal-ipc needs a C++ compiler and make to build its addon: ${installLine("compiler")}`)
}

function installLine(what) {
  const lines = {
    "apt-get": { compiler: "apt-get install -y g++ make cmake", cmake: "apt-get install -y cmake" },
    dnf: { compiler: "dnf install -y gcc-c++ make cmake", cmake: "dnf install -y cmake" },
    apk: { compiler: "apk add g++ make cmake linux-headers", cmake: "apk add cmake" },
  }
  const manager = Object.keys(lines).find(name => findProgram(name) !== undefined)
  return manager === undefined ? `install ${what === "cmake" ? "cmake" : "g++, make and cmake"}` : lines[manager][what]
}

function findProgram(name) {
  const places = name.includes("/") ? [name] : (process.env.PATH ?? "").split(delimiter).map(path => join(path, name))
  return places.find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** npm says where its own is; else it lies beside Node. */
function findNodeGyp() {
  const beside = join(dirname(dirname(process.execPath)), "lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js")
  return [process.env.npm_config_node_gyp, beside].find(path => path !== undefined && existsSync(path))
}

function packageFolder(name) {
  try {
    return dirname(require.resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}
