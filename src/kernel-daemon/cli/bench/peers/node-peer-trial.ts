// node-peer-trial.ts: one trial of one of Node's ways, in a fresh process and one of its own, between two probes.

import { measureInPart } from "../caps-suite-part.ts"
import { probeBetween } from "../machine.ts"
import type { Contender } from "../rounds.ts"
import type { Trial } from "../row.ts"
import { NODE_PEERS } from "./node-peers.ts"
import { type PeerFigures, PeerWork, type PeerWorkName } from "./peer-work.ts"

export interface PeerTrial {
  readonly suite: string
  readonly work: PeerWorkName
  readonly bytes: number
  readonly samples: number
  /** The leader's and the follower's; perhaps the same. */
  readonly cpus: readonly [number, number]
}

/** @param name one of NODE_PEERS */
export function nodePeer(name: string, { suite, work, bytes, samples, cpus }: PeerTrial): Contender {
  const index = NODE_PEERS.findIndex(peer => peer.name === name)
  const probe = (): number => (cpus[0] === cpus[1] ? Number.NaN : probeBetween(cpus))
  const run = async (): Promise<Trial> => {
    const before = probe()
    const numbers = [index, PeerWork[work], bytes, samples, ...cpus]
    const { rttNs, histogram, onewayNs, messagesPerSecond } = await measureInPart<PeerFigures>("peer-leader", numbers)
    const after = probe()
    return {
      what: "trial",
      suite,
      work,
      of: name,
      variant: null,
      bytes,
      rtt_ns: rttNs,
      histogram,
      oneway_cycles_p50: null,
      msgs_per_s: messagesPerSecond,
      probe_ns: Number.isNaN(before) ? null : { before, after },
      ...(onewayNs === null ? {} : { more: { oneway_ns: onewayNs } }),
    }
  }
  return { name, run }
}
