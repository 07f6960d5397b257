// bootstrap.mjs: makes a clone ready to run: dependencies, addon, bundles. Built-ins only; npm's pre-scripts call it.
// Everything it says goes to stderr, one line for each step with something to do, so stdout stays the command's own.

import { spawnSync } from "node:child_process"
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bundlesAreFresh, fingerprint, stampBundles } from "./freshness.mjs"
import { withLock } from "./lock.mjs"

class StepFailed extends Error {}

const OLDEST_NODE = [20, 17]
const root = fileURLToPath(new URL("..", import.meta.url))

function main() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    throw new Error(
      `Node is ${process.versions.node}, needed is ${OLDEST_NODE.join(".")} or later; install a newer one`,
    )
  }
  // The usual case takes no lock, so a tree that this user may only read serves as well.
  if (dependenciesAreInstalled() && bundlesAreFresh(root, fingerprint(root))) return buildAddon()
  withLock(
    join(root, "dist", ".lock"),
    pid => say(`waiting for process ${pid}, which is building`),
    () => {
      if (!dependenciesAreInstalled()) step("installing dependencies", installDependencies)
      buildAddon()
      const inputs = fingerprint(root)
      if (bundlesAreFresh(root, inputs)) return
      step("building the bundles", () => run(["--import", "./scripts/load-ts.mjs", "scripts/build.ts"]))
      stampBundles(root, inputs)
    },
  )
}

// It keeps a stamp of its own, says nothing when there is nothing to do, and may run twice at once.
function buildAddon() {
  run(["scripts/build-native.mjs"])
}

// By content, not by time: a copy or a checkout makes new times without making anything stale.
function dependenciesAreInstalled() {
  try {
    const wanted = readJson("package-lock.json").packages
    const present = readJson("node_modules/.package-lock.json").packages
    return Object.entries(wanted).every(([path, { version, optional }]) => {
      if (path === "" || (optional && !(path in present))) return true
      return present[path]?.version === version
    })
  } catch (error) {
    if (error.code === "ENOENT") return false
    throw error
  }
}

// A service user's home may not exist, and then npm has nowhere for its cache.
function installDependencies() {
  const cache = process.env.npm_config_cache
  if (cache === undefined || isWritable(cache)) return npmCi({})
  const temporary = mkdtempSync(join(tmpdir(), "kaal-npm-"))
  try {
    npmCi({ npm_config_cache: temporary })
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

// The npm that runs us, which need not be on the PATH.
function npmCi(environment) {
  const cli = process.env.npm_execpath
  const [file, ...first] = cli?.endsWith("npm-cli.js") ? [process.execPath, cli] : ["npm"]
  // The addon is built by the next step, and no dependency needs a script of its own to work.
  const flags = [
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--include=dev",
    "--loglevel=error",
  ]
  runFile(file, [...first, ...flags], environment, "ignore")
}

function run(args) {
  runFile(process.execPath, args, {}, 2)
}

function runFile(file, args, environment, stdout) {
  const { status, signal, error } = spawnSync(file, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", stdout, 2],
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new StepFailed(`"${[file, ...args].join(" ")}" ended with ${signal ?? status}`)
}

function isWritable(directory) {
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function step(what, action) {
  say(what)
  action()
}

function say(line) {
  process.stderr.write(`kaal-ipc: ${line}\n`)
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"))
}

try {
  main()
} catch (error) {
  // A step that failed has said why, in its own words.
  if (!(error instanceof StepFailed)) say(error.message)
  process.exitCode = 1
}
