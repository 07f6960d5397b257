// process-send.ts: Node's own channel between a process and its child, with either serialisation.

import { spawn } from "node:child_process"
import type { Line } from "./line.ts"

export type Serialization = "json" | "advanced"

export function lead(command: readonly string[], serialization: Serialization): Line {
  const stdio = ["ignore", "inherit", "inherit", "ipc"] as const
  const child = spawn(process.execPath, command, { stdio: [...stdio], env: {}, serialization })
  return {
    send: message => void child.send(packed(message, serialization)),
    onMessage: handler => void child.on("message", message => handler(unpacked(message))),
    close: () => child.disconnect(),
  }
}

export function follow(serialization: Serialization): Line {
  return {
    send: message => void process.send?.(packed(message, serialization)),
    onMessage: handler => void process.on("message", message => handler(unpacked(message))),
    close: () => process.disconnect(),
  }
}

/** JSON has no bytes: the words as numbers are the shortest that it can say. */
function packed(message: Uint8Array, serialization: Serialization): object {
  if (serialization === "advanced") return message
  return Array.from(new Float64Array(message.buffer, message.byteOffset, message.length / 8))
}

function unpacked(message: unknown): Uint8Array {
  return message instanceof Uint8Array ? message : new Uint8Array(Float64Array.from(message as number[]).buffer)
}
