// census.ts: what a run of kaal may have left on the machine: processes, files, descriptors of the one that started it.

import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { eventually, type ProcessInfo, processes } from "./system.ts"

/** From the command's end until all is gone, however it ended. */
const GONE_MS = 5_000
const LOOK_MS = 50
/** Temporary folders of scripts, which may run at the same time. */
const OF_KAAL = /^kaal(?!-(npm|sanitize))/i

/**
 * Watches over the run of the command with process id `kaal`, from now on. What is returned waits until nothing of it is left, and
 * says what is all the same: nothing but empty lists is right.
 */
export function census(kaal: number, goneMs = GONE_MS): () => Promise<readonly string[]> {
  const files = filesOfKaal()
  const memories = memoriesHeld()
  // The guard leads a session, which nobody of the system can leave (setsid is not among the calls of a component).
  let session: number | undefined
  const timer = setInterval(() => {
    session = processes().find(({ parent, command }) => parent === kaal && command.includes(" --guard "))?.pid
    if (session !== undefined) clearInterval(timer)
  }, LOOK_MS).unref()
  return async () => {
    clearInterval(timer)
    const look = (): string[] => [
      ...(session === undefined ? [] : inSession(session)).map(({ pid, command }) => `process ${pid}: ${command}`),
      ...filesOfKaal().filter(file => !files.includes(file)),
      ...memoriesHeld().filter(memory => !memories.includes(memory)),
    ]
    try {
      return await eventually("all is gone", goneMs, () => (look().length === 0 ? [] : undefined))
    } catch {
      return look()
    }
  }
}

/** Who runs in that session; zombies of others' children do not. */
export function inSession(session: number): ProcessInfo[] {
  return processes().filter(({ pid, state }) => state !== "Z" && sessionOf(pid) === session)
}

function sessionOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3])
  } catch {
    return undefined // It ended meanwhile.
  }
}

function filesOfKaal(): string[] {
  return ["/dev/shm", tmpdir()].flatMap(folder =>
    readdirSync(folder)
      .filter(name => OF_KAAL.test(name))
      .map(name => `${folder}/${name}`),
  )
}

/** Memories of kaal that this process has open: when all others are gone, so is their memory but for these. */
function memoriesHeld(): string[] {
  return readdirSync("/proc/self/fd").flatMap(fd => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return /^\/memfd:(kaal|frame|notification)/.test(target) ? [`descriptor ${fd}: ${target}`] : []
    } catch {
      return []
    }
  })
}
