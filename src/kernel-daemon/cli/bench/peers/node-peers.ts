// node-peers.ts: what Node has for messages, by name, and the two processes of a trial with one of them.

import { native } from "../../../../../native/index.ts"
import type { Line } from "./line.ts"
import * as messagePort from "./message-port.ts"
import { followWork, leadWork, type PeerFigures, PeerWork, type PeerWorkName } from "./peer-work.ts"
import * as processSend from "./process-send.ts"
import * as unixSocket from "./unix-socket.ts"
import * as zeroMq from "./zeromq.ts"

interface NodePeer {
  readonly name: string
  /** @param command Node's arguments that make the follower */
  readonly lead: (command: readonly string[], bytes: number) => Line | Promise<Line>
  readonly follow: (bytes: number) => Line
  readonly isInstalled?: () => boolean
  /** Only a stream gains from what makes it different. */
  readonly streamOnly?: true
}

/** By number, since a part is given numbers. */
export const NODE_PEERS: readonly NodePeer[] = [
  { name: "Unix socket", lead: (command, bytes) => unixSocket.lead(command, bytes, false), follow: unixSocket.follow },
  {
    name: "Unix socket, corked",
    lead: (command, bytes) => unixSocket.lead(command, bytes, true),
    follow: unixSocket.follow,
    streamOnly: true,
  },
  {
    name: "process.send, JSON",
    lead: command => processSend.lead(command, "json"),
    follow: () => processSend.follow("json"),
  },
  {
    name: "process.send, advanced",
    lead: command => processSend.lead(command, "advanced"),
    follow: () => processSend.follow("advanced"),
  },
  { name: "MessagePort, two threads", lead: messagePort.lead, follow: messagePort.follow },
  {
    name: "zeromq",
    lead: zeroMq.lead,
    follow: zeroMq.follow,
    isInstalled: () => zeroMq.zeromq() !== undefined,
  },
]

const WORKS = Object.keys(PeerWork) as PeerWorkName[]

/** The leader's process: starts the follower's with `command`, and returns what it measured. */
export async function leadPeer(
  command: readonly string[],
  [peer, work, bytes, samples, leaderCpu, followerCpu]: readonly number[],
): Promise<PeerFigures> {
  native.setAffinity([followerCpu as number]) // A child starts where its parent is.
  const line = await peerOf(peer).lead(command, bytes as number)
  native.setAffinity([leaderCpu as number])
  const figures = await leadWork(line, workOf(work), bytes as number, samples as number)
  line.close()
  return figures
}

/** The follower's process, or thread. */
export function followPeer([peer, work, bytes, samples, , followerCpu]: readonly number[]): void {
  native.setAffinity([followerCpu as number])
  followWork(peerOf(peer).follow(bytes as number), workOf(work), bytes as number, samples as number)
}

function peerOf(index = -1): NodePeer {
  const peer = NODE_PEERS[index]
  if (peer === undefined) throw new RangeError(`peer is ${index}, allowed are 0 to ${NODE_PEERS.length - 1}`)
  return peer
}

function workOf(index = -1): PeerWorkName {
  const work = WORKS[index]
  if (work === undefined) throw new RangeError(`work is ${index}, allowed are 0 to ${WORKS.length - 1}`)
  return work
}
