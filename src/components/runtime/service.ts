// service.ts: request and reply between one server and several clients, made by a parent, used by its children.

import { ensureOptions, RingError } from "../../ring/errors.ts"
import type { MergeOptions } from "../../ring/shapes/merge-options.ts"
import { ServiceClient } from "../../ring/shapes/service-client.ts"
import {
  checkInFlight,
  createServiceLink,
  type ServiceFrames,
  type ServiceOptions,
  serviceBytes,
} from "../../ring/shapes/service-link.ts"
import { ServiceServer } from "../../ring/shapes/service-server.ts"
import { MAX_MERGED } from "../../ring/shapes/words.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { allOrNone } from "./all-or-none.ts"
import type { Attachment, Taken } from "./attachment.ts"
import type { Child } from "./child.ts"
import type { Component } from "./component.ts"
import { type Gift, OwnFrames, type Use } from "./own-frames.ts"

export interface ServiceChannelOptions extends ServiceOptions {
  /** 1 to 42. */
  readonly clients: number
}

const LINK_SLOTS = 2
const CLIENT_USES: readonly Use[] = [
  [0, "write"],
  [1, "read"],
]
const SERVER_USES: readonly Use[] = [
  [0, "read"],
  [1, "write"],
]

/**
 * The parent's side. A client finds its link in two slots in a row, and attaches with `Component.serviceClient(slot, inFlight)`;
 * the server all links in `2 * clients`, and attaches with `Component.serviceServer(slot, clients)`.
 */
export class ServiceChannel {
  /** For each client its own frame and the server's. */
  readonly frames: readonly (readonly number[])[]
  readonly #links: readonly OwnFrames[]

  private constructor(links: readonly OwnFrames[]) {
    this.#links = links
    this.frames = links.map(({ slots }) => slots)
  }

  static create(component: Component, given: ServiceChannelOptions): ServiceChannel {
    ensureOptions(given, "clients, requestBytes, replyBytes and inFlight")
    const { clients, ...options } = given
    checkClients(clients)
    const bytes = serviceBytes(options)
    const link = () =>
      OwnFrames.make(component, bytes, ([clientFrame, serverFrame]) => {
        createServiceLink(component.vspace, { clientFrame, serverFrame } as ServiceFrames, options)
      })
    return new ServiceChannel(allOrNone(component, () => Array.from({ length: clients }, link)))
  }

  /** For SpawnConfig.capabilities of client `index`. @throws {RingError} RangeError: there is no such client */
  client(index: number, slot: number): Gift[] {
    return this.#link(index).gifts(slot, CLIENT_USES)
  }

  /** For SpawnConfig.capabilities of the server. */
  server(slot: number): Gift[] {
    return this.#links.flatMap((link, index) => link.gifts(slot + LINK_SLOTS * index, SERVER_USES))
  }

  /** Maps client `index`'s frames into it, before it starts. */
  mapIntoClient(index: number, child: Child): void {
    this.#link(index).mapInto(child, CLIENT_USES)
  }

  /** Maps all frames into the server, before it starts. */
  mapIntoServer(child: Child): void {
    for (const link of this.#links) link.mapInto(child, SERVER_USES)
  }

  /**
   * As `Channel.revoke`; of client `index` alone where that is given: then the server cannot be replaced any more.
   * @throws {RingError} RangeError: there is no such client
   */
  revoke(index?: number): boolean {
    const links = index === undefined ? this.#links : [this.#link(index)]
    return links.map(link => link.revoke()).every(Boolean)
  }

  #link(index: number): OwnFrames {
    const link = this.#links[index]
    if (link === undefined) {
      throw new RingError("RangeError", `Client ${index} is not one of this service's, 0 to ${this.#links.length - 1}`)
    }
    return link
  }
}

/** @throws {RingError} RangeError */
function checkClients(clients: number): void {
  if (Number.isInteger(clients) && clients >= 1 && clients <= MAX_MERGED) return
  throw new RingError(
    "RangeError",
    `clients is ${String(clients)}, which must be 1 to ${MAX_MERGED}; start more servers`,
  )
}

/** The client writes the first frame of a link, and so produces the requests in it; the server the second, with the replies. */
function endsOf(slot: number, side: "client" | "server") {
  return side === "client"
    ? ([
        [slot, "producer"],
        [slot + 1, "consumer"],
      ] as const)
    : ([
        [slot, "consumer"],
        [slot + 1, "producer"],
      ] as const)
}

/** The status is that of the client's frame, which both have mapped. */
function linkOf([requests, replies]: readonly [Taken, Taken]) {
  return {
    frames: { clientFrame: requests, serverFrame: replies },
    status: requests.status,
    ends: { requests, replies },
  }
}

export function serviceClient(slot: number, inFlight: number, wait?: WaitStrategy): Attachment<ServiceClient> {
  checkInFlight(inFlight)
  return {
    wanted: endsOf(slot, "client"),
    make: (vspace, taken) => {
      const { frames, ...options } = linkOf(taken as readonly [Taken, Taken])
      return new ServiceClient(vspace, frames, inFlight, { ...options, ...(wait === undefined ? {} : { wait }) })
    },
  }
}

export function serviceServer(slot: number, clients: number, options: MergeOptions = {}): Attachment<ServiceServer> {
  checkClients(clients)
  ensureOptions(options, "budget and wait, both optional")
  const slots = Array.from({ length: clients }, (_, index) => slot + LINK_SLOTS * index)
  return {
    wanted: slots.flatMap(each => [...endsOf(each, "server")]),
    make: (vspace, taken) => {
      const links = slots.map((_, index) => linkOf(taken.slice(2 * index, 2 * index + 2) as [Taken, Taken]))
      return new ServiceServer(vspace, links, options)
    },
  }
}
