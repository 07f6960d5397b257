// lock.mjs: one process at a time, by a directory. A dead holder's lock is taken over. Built-ins only.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"

const POLL_MS = 50
const PATIENCE_MS = 600_000

/**
 * Runs `work` while this process holds the lock `directory` (created with its parents, gone again afterwards).
 * The holder is a file in it, named by pid and start time, so a reused pid is not mistaken for the holder.
 *
 * @param {string} directory
 * @param {(pid: string) => void} onWait called once if somebody else holds it
 * @param {() => void} work synchronous
 * @throws {Error} when it is still held after ten minutes, naming the holder
 */
export function withLock(directory, onWait, work) {
  const me = `${process.pid}-${startTime(process.pid)}`
  acquire(directory, me, onWait)
  try {
    work()
  } finally {
    rmSync(join(directory, me), { force: true })
    // Somebody may have moved in already, and even out again.
    attempt(() => rmdirSync(directory), "ENOTEMPTY", "ENOENT")
  }
}

// A directory can be renamed onto a missing or an empty one only, and the kernel decides between two who try. So the
// lock appears together with its holder's name, and taking it over is removing that one name: never a newcomer's.
function acquire(directory, me, onWait) {
  const deadline = Date.now() + PATIENCE_MS
  mkdirSync(dirname(directory), { recursive: true })
  const mine = mkdtempSync(`${directory}.`)
  writeFileSync(join(mine, me), "")
  let told = false
  while (!attempt(() => renameSync(mine, directory), "ENOTEMPTY", "EEXIST")) {
    const holder = holderOf(directory)
    if (holder !== undefined && !isAlive(holder)) rmSync(join(directory, holder), { force: true })
    else {
      if (holder !== undefined && !told) onWait(holder.split("-")[0])
      told ||= holder !== undefined
      if (Date.now() > deadline) {
        rmSync(mine, { recursive: true })
        throw new Error(
          `Lock ${directory} is still held by process ${holder} after ${PATIENCE_MS} ms; end that process`,
        )
      }
      sleep(POLL_MS)
    }
  }
}

function holderOf(directory) {
  try {
    return readdirSync(directory)[0]
  } catch {
    return undefined
  }
}

function isAlive(holder) {
  const [pid, since] = holder.split("-")
  return startTime(pid) === since
}

// Field 22 of /proc/PID/stat; the name in field 2 may hold spaces and brackets, so count from its end.
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
  } catch {
    return undefined
  }
}

// False when the action was refused for one of these reasons.
function attempt(action, ...refusals) {
  try {
    action()
    return true
  } catch (error) {
    if (refusals.includes(error.code)) return false
    throw error
  }
}

function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
