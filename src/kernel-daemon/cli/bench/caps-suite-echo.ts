// caps-suite-echo.ts: the null syscall's measure: a Unix-socket echo between two Node processes, as small as the call.

import { spawn } from "node:child_process"
import { Socket } from "node:net"
import type { Duplex } from "node:stream"
import { native } from "../../../../native/index.ts"
import type { Latency } from "../../../protocols/bench-caps.ts"
import { median } from "./statistics.ts"

/** As many bytes as a null syscall's request and its reply have. */
const MESSAGE_BYTES = 8
const WARM_UP_ROUNDS = 1_000
/** Where the server has its end of the socket pair: Node makes Unix sockets of its "pipe"s. */
const SERVER_FD = 3

/** Sends everything back, until the other end is closed. */
export function serveEcho(): void {
  const socket = new Socket({ fd: SERVER_FD, readable: true, writable: true })
  socket.on("data", chunk => socket.write(chunk))
}

/**
 * Measures `rounds` round trips with a server of its own.
 * @param server the arguments with which Node becomes the server
 * @param cpus   where the client runs, where the server
 */
export async function measureEcho(
  server: readonly string[],
  rounds: number,
  [clientCpu, serverCpu]: readonly [number, number],
  onMeasuring: () => void,
): Promise<Latency> {
  native.setAffinity([serverCpu]) // A child starts where its parent is.
  const child = spawn(process.execPath, server, { stdio: ["ignore", "inherit", "inherit", "pipe"], env: {} })
  native.setAffinity([clientCpu])
  const socket = child.stdio[SERVER_FD] as Duplex
  const message = Buffer.alloc(MESSAGE_BYTES, 1)
  const samples: number[] = []
  await new Promise<void>((resolve, reject) => {
    let left = WARM_UP_ROUNDS + rounds
    let begun = 0
    const send = (): void => {
      begun = performance.now()
      socket.write(message)
    }
    child.once("error", reject)
    socket.once("error", reject)
    socket.on("data", () => {
      const us = (performance.now() - begun) * 1e3
      if (left <= rounds) samples.push(us)
      if (left === rounds) onMeasuring()
      left -= 1
      if (left > 0) send()
      else resolve()
    })
    send()
  })
  socket.end()
  samples.sort((a, b) => a - b)
  return {
    p50: median(samples),
    p99: samples[Math.floor(rounds * 0.99)] ?? Number.NaN,
    max: samples.at(-1) ?? Number.NaN,
  }
}
