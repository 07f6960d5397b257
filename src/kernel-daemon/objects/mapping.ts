// mapping.ts: one range of one component's VSpace that shows one object's memory, and the capability it rests on.

import { formatPermissions, type Permissions } from "../abi/rights.ts"
import { NO_LANE } from "../abi/syscalls.ts"
import type { Capability } from "./capability.ts"
import type { Component } from "./component.ts"
import { describeObject, type MemoryId, type SharedObject } from "./kernel-object.ts"

/** A mapping whose status nobody has asked for has no status word. */
export const NO_STATUS_WORD = -1

/** A piece of a mapping: one memory, from its start. */
export interface Part {
  readonly memory: MemoryId
  readonly address: number
  readonly bytes: number
  readonly permissions: Permissions
}

export class Mapping {
  readonly component: Component
  readonly capability: Capability
  readonly object: SharedObject
  readonly address: number
  readonly bytes: number
  permissions: Permissions
  /** False as soon as it is unmapped, revoked, or its component has ended. */
  alive = true
  /**
   * Invocations under way that name its range to the broker: until they end the range is not given to anything else.
   */
  inFlight = 0
  /** Those of them that are about its bells and leave its pages as they are. */
  bellsInFlight = 0
  /** A removal has claimed it: its pages are on their way out, or out. */
  leaving = false
  lane: number = NO_LANE
  statusWord = NO_STATUS_WORD

  constructor(
    component: Component,
    capability: Capability,
    object: SharedObject,
    address: number,
    bytes: number,
    permissions: Permissions,
  ) {
    this.component = component
    this.capability = capability
    this.object = object
    this.address = address
    this.bytes = bytes
    this.permissions = permissions
  }

  /** What it shows: a frame's is one piece, a notification's has one for each memory, and may have gaps. */
  get parts(): readonly Part[] {
    const { object, address, bytes, permissions } = this
    return object.type === "Page" ? [{ memory: object.memory, address, bytes, permissions }] : object.partsOf(this)
  }
}

/** "frame 3, mapped rw": for messages. */
export function describeMapping(mapping: Mapping): string {
  return `${describeObject(mapping.object)}, mapped ${formatPermissions(mapping.permissions)}`
}
