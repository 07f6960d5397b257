// unix-socket.ts: a Unix socket between two Node processes, which is what their "pipe"s are.

import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import type { Line } from "./line.ts"

/** Where the follower has its end. */
const FOLLOWER_FD = 3

export function lead(command: readonly string[], bytes: number, isCorked: boolean): Line {
  const child: ChildProcess = spawn(process.execPath, command, {
    stdio: ["ignore", "inherit", "inherit", "pipe"],
    env: {},
  })
  return lineOf(child.stdio[FOLLOWER_FD] as Socket, bytes, isCorked)
}

export function follow(bytes: number): Line {
  return lineOf(new Socket({ fd: FOLLOWER_FD, readable: true, writable: true }), bytes, false)
}

function lineOf(socket: Socket, bytes: number, isCorked: boolean): Line {
  return {
    // A stream keeps what it could not write at once, so it is given a copy.
    send: message => socket.write(Uint8Array.prototype.slice.call(message)),
    ...(isCorked && {
      burst: (isOver: boolean) => (isOver ? socket.uncork() : socket.cork()),
    }),
    onMessage: handler => socket.on("data", inPieces(bytes, handler)),
    close: () => socket.end(),
  }
}

/** Cuts a stream of bytes into messages of `bytes`. */
function inPieces(bytes: number, handler: (message: Uint8Array) => void): (chunk: Uint8Array) => void {
  const partial = new Uint8Array(bytes)
  let held = 0
  return chunk => {
    let at = 0
    while (at < chunk.length) {
      if (held === 0 && chunk.length - at >= bytes) {
        handler(chunk.subarray(at, at + bytes))
        at += bytes
        continue
      }
      const piece = chunk.subarray(at, at + bytes - held)
      partial.set(piece, held)
      held += piece.length
      at += piece.length
      if (held < bytes) continue
      held = 0
      handler(partial)
    }
  }
}
