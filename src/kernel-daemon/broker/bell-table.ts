// bell-table.ts: the eventfds behind the memories that components wait on: made when they are first hung.

import { readFileSync } from "node:fs"
import { type Fd, native } from "../../../native/index.ts"
import type { BellName, MemoryId } from "../invocation/effects.ts"

interface Bell {
  readonly fd: Fd
  /** How /proc tells this eventfd from any other. */
  readonly id: number
}

export class BellTable {
  readonly #bells = new Map<MemoryId, Map<BellName, Bell>>()

  /** How many there are. */
  get size(): number {
    return [...this.#bells.values()].reduce((sum, bells) => sum + bells.size, 0)
  }

  /** @throws {NativeError} descriptors have run out */
  fdFor(memory: MemoryId, name: BellName): Fd {
    const bells = this.#bells.get(memory) ?? new Map<BellName, Bell>()
    let bell = bells.get(name)
    if (bell === undefined) {
      bell = create()
      bells.set(name, bell)
      this.#bells.set(memory, bells)
    }
    return bell.fd
  }

  /** Wakes who sleeps there, if anybody ever could. */
  ring(memory: MemoryId, name: BellName): void {
    const bell = this.#bells.get(memory)?.get(name)
    if (bell !== undefined) native.addToEventFd(bell.fd)
  }

  /** Their numbers among eventfds. */
  idsOf(memory: MemoryId): ReadonlySet<number> {
    return new Set([...(this.#bells.get(memory)?.values() ?? [])].map(({ id }) => id))
  }

  destroy(memory: MemoryId): void {
    for (const { fd } of this.#bells.get(memory)?.values() ?? []) native.closeFd(fd)
    this.#bells.delete(memory)
  }
}

function create(): Bell {
  const fd = native.createEventFd()
  try {
    return { fd, id: eventFdId(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")) }
  } catch (error) {
    native.closeFd(fd)
    throw error
  }
}

/** The number by which Linux (5.2 and later) tells eventfds apart in /proc/PID/fdinfo/FD; -1 where it is none. */
export function eventFdId(info: string): number {
  return Number(/^eventfd-id:\s*(\d+)$/m.exec(info)?.[1] ?? -1)
}
