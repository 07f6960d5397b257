// zeromq.ts: a pair of zeromq sockets over an abstract Unix socket; only where the package is installed.

import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import type * as ZeroMq from "zeromq"
import type { Line } from "./line.ts"

/** The package, found at run time: it is no dependency of ours. Undefined where it is not installed. */
export function zeromq(): typeof ZeroMq | undefined {
  try {
    return createRequire(import.meta.url)("zeromq") as typeof ZeroMq
  } catch {
    return undefined
  }
}

export async function lead(command: readonly string[]): Promise<Line> {
  const socket = makePair()
  const address = addressOf(process.pid)
  await socket.bind(address)
  // The pipe tells the follower when its leader is gone: a zeromq socket would wait for ever.
  const child = spawn(process.execPath, command, { stdio: ["pipe", "inherit", "inherit"], env: {} })
  const close = (): void => {
    socket.close()
    child.stdin.end()
  }
  return { ...lineOf(socket), close }
}

export function follow(): Line {
  process.stdin.resume().once("close", () => process.exit())
  const socket = makePair()
  socket.connect(addressOf(process.ppid))
  return lineOf(socket)
}

function addressOf(leader: number): string {
  return `ipc://@kaal-bench-${leader}`
}

function makePair(): ZeroMq.Pair {
  const { Pair } = zeromq() ?? refuse()
  // Nothing is dropped and no send waits: the window of the work bounds what is under way.
  return new Pair({ sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 0 })
}

function refuse(): never {
  throw new Error("zeromq is not installed: npm install zeromq")
}

function lineOf(socket: ZeroMq.Pair): Line {
  const queue: Buffer[] = []
  let isSending = false
  const pump = async (): Promise<void> => {
    isSending = true
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await socket.send(next)
    isSending = false
  }
  return {
    // One send at a time is all that it allows; and it keeps what it has not sent, so it is given a copy.
    send: message => {
      queue.push(Buffer.from(message))
      if (!isSending) void pump()
    },
    onMessage: async handler => {
      for await (const [message] of socket) handler(message as Uint8Array)
    },
    close: () => socket.close(),
  }
}
