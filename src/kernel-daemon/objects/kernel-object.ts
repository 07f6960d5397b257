// kernel-object.ts: what all kernel objects have in common, and the closed list of them.

import type { ObjectTypeName } from "../abi/object-types.ts"
import type { CNode } from "./cnode.ts"
import type { Component } from "./component.ts"
import type { Endpoint } from "./endpoint.ts"
import type { Frame } from "./frame.ts"
import type { Notification } from "./notification.ts"
import type { ProcessControl } from "./process-control.ts"
import type { Untyped } from "./untyped.ts"
import type { VSpace } from "./vspace.ts"

export type KernelObject = Untyped | Frame | Notification | Endpoint | CNode | VSpace | Component | ProcessControl
/** Objects whose memory components map: what peers share. */
export type SharedObject = Frame | Notification

/** Names a component for its whole life and is never reused. It is also the plan's pid (not the operating system's). */
export type ComponentId = number
/** Names the memory of one frame or notification: one memfd. Never reused. */
export type MemoryId = number

export abstract class ObjectBase {
  abstract readonly type: ObjectTypeName
  /** Capabilities to this object, and holds by the kernel itself. The object goes with the last of them. */
  references = 0
  /** Where its memory was taken from; `undefined` for what the root task starts with. */
  readonly origin: Untyped | undefined
  /** What it has taken there; a notification takes more for each lane. */
  chargedBytes: number

  constructor(origin: Untyped | undefined, chargedBytes: number) {
    this.origin = origin
    this.chargedBytes = chargedBytes
  }
}

export function isShared(object: KernelObject): object is SharedObject {
  return object.type === "Page" || object.type === "Notification"
}

/** "frame 3", "notification 4", "CNode": for messages. */
export function describeObject(object: KernelObject): string {
  switch (object.type) {
    case "Page":
      return `frame ${object.id}`
    case "Notification":
      return `notification ${object.memory}`
    case "TCB":
      return object.state === "inactive" ? "inactive TCB" : `TCB of component ${object.id} "${object.name}"`
    default:
      return object.type
  }
}
