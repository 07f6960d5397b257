// message-port.ts: a MessagePort between two threads of one process: Node has none between processes.

import { parentPort, Worker } from "node:worker_threads"
import type { Line } from "./line.ts"

interface Port {
  postMessage(message: Uint8Array): void
  on(event: "message", handler: (message: Uint8Array) => void): unknown
}

/** @param command Node's arguments: flags, which a thread shares with its process, then script and arguments */
export function lead(command: readonly string[]): Line {
  const [script = "", ...argv] = command.slice(command.findIndex(argument => !argument.startsWith("-")))
  const worker = new Worker(script, { argv })
  return { ...lineOf(worker), close: () => void worker.terminate() }
}

export function follow(): Line {
  const port = parentPort
  if (port === null) throw new Error("parentPort is null: this follower runs in a worker thread only")
  return { ...lineOf(port), close: () => port.close() }
}

function lineOf(port: Port): Omit<Line, "close"> {
  return {
    send: message => port.postMessage(message),
    onMessage: handler => void port.on("message", handler),
  }
}
