// plan-file.ts: the file in which native/inject reads which call is to fail, or at which call a process is to stand still, and
// tells which calls there are.

import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs"

/** Calls that are to fail: `times` from the `k`th on of that name, from that place, in processes of that role, from now on. */
export interface Injection {
  readonly role: string
  readonly call: string
  readonly offset: number
  readonly k: number
  readonly errno: number
  /** 1 when not given. */
  readonly times?: number
}

/** Any call, the `k`th in processes of that role from now on, before or after which its process is to stand still. */
export interface Halt {
  /** "cloned": the child of a clone, until it becomes another program. */
  readonly role: string
  readonly thread: (typeof THREADS)[number]
  readonly k: number
  readonly after: boolean
  /** Count only calls between two marks, which any component makes by process.kill(process.pid, 0). */
  readonly windowed: boolean
}

/** Where a process stands still. */
export interface Halted {
  /** By its own name for it: others may know it by another. */
  readonly pid: number
  readonly call: string
  readonly offset: number
}

/** A place in our binaries from which a call was made. */
export interface CallSite {
  readonly role: string
  readonly call: string
  /** Of the return address, in its binary. 0 in Node's. */
  readonly offset: number
  readonly count: number
}

// As in native/inject/inject.cc.
const NAME_BYTES = 24
const SITES = 512
const SITE_BYTES = 64
const Offset = { round: 0, remaining: 4, errno: 8, fired: 12, role: 16, call: 40, place: 64, sites: 128 } as const
const HaltOffset = { action: 68, windowed: 72, marks: 76, halted: 80, place: 84, call: 88, thread: 112 } as const
const TIMES = 116
const DEAF = 120
const THREADS = ["any", "main", "other"] as const
const Action = { fail: 0, haltBefore: 1, haltAfter: 2 } as const

export class PlanFile {
  readonly path: string
  readonly #fd: number

  /** Any user may read and map it: components have ids of their own. */
  constructor(path: string) {
    this.path = path
    this.#fd = openSync(path, "w+", 0o666)
    ftruncateSync(this.#fd, Offset.sites + SITES * SITE_BYTES)
  }

  /** Has the root task run the scenario once more. 0 ends it. */
  setRound(round: number): void {
    this.#write(Offset.round, round)
  }

  armError({ role, call, offset, k, errno, times = 1 }: Injection): void {
    this.disarm()
    this.#write(HaltOffset.action, Action.fail)
    this.#write(HaltOffset.windowed, 0)
    this.#write(HaltOffset.thread, THREADS.indexOf("any"))
    this.#writeName(Offset.role, role)
    this.#writeName(Offset.call, call)
    this.#write(Offset.place, offset)
    this.#write(Offset.errno, errno)
    this.#write(Offset.fired, 0)
    this.#write(TIMES, times)
    this.#write(Offset.remaining, k + times - 1)
  }

  /** From now on a process of that role, when it begins to watch a pidfd, will never be told that it is readable. */
  armDeafness(role: string): void {
    this.disarm()
    this.#writeName(Offset.role, role)
    this.#write(Offset.fired, 0)
    this.#write(DEAF, 1)
  }

  armHalt({ role, thread, k, after, windowed }: Halt): void {
    this.disarm()
    this.#write(HaltOffset.action, after ? Action.haltAfter : Action.haltBefore)
    this.#write(HaltOffset.windowed, Number(windowed))
    this.#write(HaltOffset.marks, 0)
    this.#write(HaltOffset.thread, THREADS.indexOf(thread))
    this.#writeName(HaltOffset.call, "")
    this.#writeName(Offset.role, role)
    this.#write(Offset.fired, 0)
    this.#write(Offset.remaining, k)
  }

  /** Where a process stands still now. */
  get halted(): Halted | undefined {
    const pid = this.#read(HaltOffset.halted)
    if (pid === 0) return undefined
    const name = Buffer.alloc(NAME_BYTES)
    readSync(this.#fd, name, 0, NAME_BYTES, HaltOffset.call)
    return {
      pid,
      call: nameIn(name, 0),
      offset: this.#read(HaltOffset.place),
    }
  }

  /** It goes on, if it lives. */
  release(): void {
    this.#write(HaltOffset.halted, 0)
  }

  disarm(): void {
    this.#write(Offset.remaining, 0)
    this.#write(DEAF, 0)
  }

  /** Whether it has come to that. */
  get hasFired(): boolean {
    return this.#read(Offset.fired) !== 0
  }

  sites(): CallSite[] {
    const bytes = Buffer.alloc(SITES * SITE_BYTES)
    readSync(this.#fd, bytes, 0, bytes.length, Offset.sites)
    return Array.from({ length: SITES }, (_, at) => bytes.subarray(at * SITE_BYTES, (at + 1) * SITE_BYTES))
      .filter(site => site.readUInt32LE(0) !== 0)
      .map(site => ({
        offset: site.readUInt32LE(4),
        count: site.readUInt32LE(8),
        role: nameIn(site, 16),
        call: nameIn(site, 16 + NAME_BYTES),
      }))
  }

  close(): void {
    closeSync(this.#fd)
  }

  #write(offset: number, value: number): void {
    writeSync(this.#fd, Uint32Array.of(value), 0, 4, offset)
  }

  #read(offset: number): number {
    const word = new Uint32Array(1)
    readSync(this.#fd, word, 0, 4, offset)
    return word[0] as number
  }

  #writeName(offset: number, name: string): void {
    const bytes = Buffer.alloc(NAME_BYTES)
    bytes.write(name, 0, NAME_BYTES - 1, "latin1")
    writeSync(this.#fd, bytes, 0, NAME_BYTES, offset)
  }
}

function nameIn(bytes: Buffer, offset: number): string {
  return bytes.toString("latin1", offset, offset + NAME_BYTES).replace(/\0.*$/s, "")
}
