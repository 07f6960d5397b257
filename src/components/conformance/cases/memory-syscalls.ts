// memory-syscalls.ts: SYSCALL: calls that make objects, components and mappings leave all others as they were.

import { type Args, ConventionSlot, FIRST_FREE_SLOT, ObjectType, PAGE_BYTES, Right } from "../../runtime/index.ts"
import { disturbsNothing } from "../disturbs-nothing.ts"
import { EMPTY_SLOT, type Kit, NEW_OBJECTS, NO_SLOT, READ_WRITE } from "../kit.ts"
import { Peer } from "../peer.ts"

const bytes = PAGE_BYTES
const HUGE_BYTES = 2 ** 40
const OUTSIDE = 2 ** 30

export const MEMORY_SYSCALLS = {
  SYSCALL0002: disturbsNothing("memory_allocate", {
    succeeds(kit) {
      const { slot } = kit.call("memory_allocate", { bytes: PAGE_BYTES + 1 })
      const name = { strict: String(FIRST_FREE_SLOT), kaal: "address" }
      kit.differs("allocateGivesAddress", "what memory_allocate gives", nameKind(slot), name)
      kit.equal("slot that it has taken", kit.holds(FIRST_FREE_SLOT), true)
      const map = (bytes: number) => kit.outcome("memory_map", { frame: slot, bytes, permissions: READ_WRITE })
      kit.equal("map of what was rounded up to", map(2 * PAGE_BYTES), "ok")
      kit.equal("map of more", map(3 * PAGE_BYTES), "RangeError")
      kit.delete(slot)
    },
    fails(kit) {
      kit.refused("no bytes", "InvalidArgument", "memory_allocate", { bytes: 0 })
      kit.refused("more than there is", "NotEnoughMemory", "memory_allocate", { bytes: HUGE_BYTES })
    },
  }),

  SYSCALL0003: disturbsNothing("endpoint_create and retype", {
    succeeds(kit) {
      const { slot } = kit.call("endpoint_create", {})
      const other = kit.make(ObjectType.Endpoint)
      kit.equal("slots", kit.picture([slot, other]), "oo")
      kit.equal("rights of a new capability", kit.rightsOf(slot), 7)
      kit.delete(slot, other)
    },
    fails(kit, { frame }) {
      const { untyped } = ConventionSlot
      const place = { untyped, sizeBits: 0, cnode: kit.own, slot: EMPTY_SLOT, count: 1 }
      kit.refused("no such type", "InvalidArgument", "retype", { ...place, type: 12 })
      const endpoint = { ...place, type: ObjectType.Endpoint }
      kit.refused("an occupied slot", "DeleteFirst", "retype", { ...endpoint, slot: frame })
      kit.refused("memory that is a frame", "InvalidCapability", "retype", { ...endpoint, untyped: frame })
    },
  }),

  SYSCALL0004: disturbsNothing("process_create, process_start, process_describe, process_wait and process_kill", {
    succeeds(kit) {
      const peer = new Peer(kit)
      kit.equal("a call of the child", peer.outcome("yield", {}), "ok")
      const { tcb, confined } = peer.child
      kit.equal("whether it is confined", kit.call("process_describe", { tcb }).confined === 1, confined)
      peer.end()
      kit.equal("end of a child that was killed", new Peer(kit).kill(), "killed")
      const objects = { tcb: kit.make(ObjectType.TCB), vspace: kit.make(ObjectType.VSpace) }
      const retyped = new Peer(kit, [], objects)
      kit.equal("slot of a TCB that was given", retyped.child.tcb, objects.tcb)
      kit.equal("a call of the child in it", retyped.outcome("yield", {}), "ok")
      retyped.end()
      kit.equal("the TCB of who has ended", kit.holds(objects.tcb), false)
      kit.delete(objects.vspace)
    },
    fails(kit, { frame }) {
      const good = {
        componentName: "conformance-helper",
        arguments: [],
        capabilities: [],
        priority: 0,
        confined: 1,
        ...NEW_OBJECTS,
      }
      const refused = (what: string, code: string, wrong: Partial<typeof good>) =>
        kit.refused(what, code, "process_create", { ...good, ...wrong })
      refused("a component that there is not", "FailedLookup", { componentName: "no-such-component" })
      for (const componentName of ["", "../main", "Upper", "x".repeat(65)]) {
        refused(`name "${componentName}"`, "InvalidArgument", { componentName })
      }
      refused("a priority beyond the limit", "RangeError", { priority: 256 })
      refused("confined by half", "InvalidArgument", { confined: 2 })
      refused("a TCB that is a frame", "InvalidCapability", { tcb: frame })
      refused("a VSpace that is a frame", "InvalidCapability", { vspace: frame })
      refused("a TCB from an empty slot", "FailedLookup", { tcb: EMPTY_SLOT })
      refused("its creator's TCB", "IllegalOperation", { tcb: ConventionSlot.ownTcb })
      refused("its creator's VSpace", "IllegalOperation", { vspace: ConventionSlot.ownVSpace })
      const inactive = kit.make(ObjectType.TCB)
      const unknown = { componentName: "no-such-component", tcb: inactive }
      refused("a component that there is not, in a TCB", "FailedLookup", unknown)
      kit.refused("65 arguments", "RangeError", "process_create", { ...good, arguments: new Array<number>(65).fill(0) })
      const calls = ["process_start", "process_describe", "process_wait", "process_kill"] as const
      for (const name of calls) {
        kit.refused(`${name} of a frame`, "InvalidCapability", name, { tcb: frame })
        kit.refused(`${name} of an empty slot`, "FailedLookup", name, { tcb: EMPTY_SLOT })
        kit.refused(`${name} of an inactive TCB`, "IllegalOperation", name, { tcb: inactive })
      }
      kit.delete(inactive)
      const own = ConventionSlot.ownTcb
      kit.refused("start of oneself", "IllegalOperation", "process_start", { tcb: own })
      kit.refused("wait for oneself", "IllegalOperation", "process_wait", { tcb: own })
      const peer = new Peer(kit)
      const powerless = kit.derive(peer.child.tcb, 0)
      for (const name of calls) {
        kit.refused(`${name} without a right`, "IllegalOperation", name, { tcb: powerless })
      }
      kit.delete(powerless)
      peer.end()
    },
  }),

  SYSCALL0005: disturbsNothing("memory_map", {
    succeeds(kit, { frame }) {
      const address = kit.map(frame)
      kit.equal(
        "word in a second mapping",
        kit.load(address),
        kit.load(kit.call("object_attach", { slot: frame, role: 0 }).address),
      )
      kit.call("memory_unmap", { address, bytes })
    },
    fails(kit, { frame, reader, notification }) {
      const good = { frame, bytes, permissions: READ_WRITE }
      const refused = (what: string, code: string, wrong: Partial<typeof good>) =>
        kit.refused(what, code, "memory_map", { ...good, ...wrong })
      refused("no bytes", "InvalidArgument", { bytes: 0 })
      const half = kit.mapOutcome({ ...good, bytes: 2048 })
      kit.differs("bytesRoundUp", "map of half a page", half, { strict: "AlignmentError", kaal: "ok" })
      refused("more than the frame", "RangeError", { bytes: 2 * PAGE_BYTES })
      refused("more than the VSpace", "RangeError", { bytes: HUGE_BYTES })
      const wider = kit.mapOutcome({ ...good, frame: reader })
      kit.differs("mapIgnoresPermissions", "map beyond the rights", wider, { strict: "IllegalOperation", kaal: "ok" })
      refused("no frame", "InvalidCapability", { frame: notification })
      refused("an empty slot", "FailedLookup", { frame: EMPTY_SLOT })
    },
  }),

  SYSCALL0006: disturbsNothing("memory_unmap", {
    succeeds(kit, { frame }) {
      const address = kit.map(frame)
      kit.call("memory_unmap", { address, bytes })
      kit.equal("read after it", kit.load(address), "PageFault")
      const second = kit.map(frame)
      const part = kit.outcome("memory_unmap", { address: second, bytes: 2048 })
      kit.differs("bytesRoundUp", "unmap of half a page", part, { strict: "FailedLookup", kaal: "ok" })
      if (part !== "ok") kit.call("memory_unmap", { address: second, bytes })
    },
    fails(kit, { frame }) {
      const { address } = kit.call("object_attach", { slot: frame, role: 0 })
      const refused = (what: string, args: { address: number; bytes: number }) =>
        kit.refused(what, "FailedLookup", "memory_unmap", args)
      refused("an address inside a mapping", { address: address + 8, bytes })
      refused("more than a mapping", { address, bytes: 2 * PAGE_BYTES })
      refused("less than a mapping", { address, bytes: 0 })
      refused("address 0", { address: 0, bytes })
      refused("private memory", { address: PAGE_BYTES, bytes })
      refused("an address outside the VSpace", { address: OUTSIDE, bytes })
    },
  }),

  SYSCALL0007: disturbsNothing("notification_create and object_attach", {
    succeeds(kit) {
      const { slot } = kit.call("notification_create", {})
      const notification = kit.self.notification(slot)
      notification.signal(6n)
      kit.equal("bits of the new one", notification.poll(), 6n)
      kit.delete(slot)
    },
    fails(kit, { frame, notification }) {
      const refused = (what: string, code: string, slot: number, role: number) =>
        kit.refused(what, code, "object_attach", { slot, role })
      refused("a role that there is not", "InvalidArgument", notification, 5)
      refused("a notification as frame", "InvalidCapability", notification, 0)
      refused("a frame as notification", "InvalidCapability", frame, 1)
      refused("an empty slot", "FailedLookup", EMPTY_SLOT, 2)
      const unmapped = kit.frame()
      refused("a frame that is not mapped", "FailedLookup", unmapped, 0)
      const powerless = kit.derive(notification, Right.grant)
      refused("signalling without write", "IllegalOperation", powerless, 1)
      refused("waiting without read", "IllegalOperation", powerless, 2)
      kit.delete(unmapped, powerless)
    },
  }),

  SYSCALL0008: disturbsNothing("memory_map_into", {
    succeeds(kit, { frame }) {
      const peer = new Peer(kit)
      const { pid } = peer.child
      const own = kit.call("object_attach", { slot: frame, role: 0 }).address
      const { address } = kit.call("memory_map_into", { frame, bytes, permissions: Right.read, pid })
      kit.equal("word that the peer reads", peer.load(address), kit.load(own))
      const same = peer.store(address, kit.load(own) as number)
      const wanted = { strict: "PageFault", kaal: "ok" }
      kit.differs("mapIgnoresPermissions", "write to what was mapped into a peer to be read", same, wanted)
      peer.end()
    },
    fails(kit, { frame, reader }) {
      const peer = new Peer(kit)
      const unusual = (what: string, code: string, wrong: Partial<typeof good>) => {
        const outcome = kit.outcome("memory_map_into", { ...good, ...wrong })
        kit.differs("mapIgnoresPermissions", what, outcome, { strict: code, kaal: "ok" })
      }
      const good = { frame, bytes, permissions: READ_WRITE, pid: peer.child.pid }
      const refused = (what: string, code: string, wrong: Partial<typeof good>) =>
        kit.refused(what, code, "memory_map_into", { ...good, ...wrong })
      unusual("map into a peer beyond the rights", "IllegalOperation", { frame: reader })
      unusual("map into a peer to be executed", "InvalidArgument", { permissions: 5 })
      refused("a pid that there is not", "FailedLookup", { pid: 4_000_000 })
      refused("a component that one has no capability to", "FailedLookup", { pid: 1 })
      refused("more than the frame", "RangeError", { bytes: 2 * PAGE_BYTES })
      peer.end()
      refused("a component that is gone", "FailedLookup", {})
    },
  }),

  SYSCALL0016: disturbsNothing("memory_remap, memory_share, memory_seal and memory_renew", {
    succeeds(kit) {
      const frame = kit.frame()
      const address = kit.map(frame)
      kit.call("memory_remap", { address, bytes, permissions: Right.read })
      kit.equal("write after remap to read", kit.store(address, 1), "PageFault")
      kit.call("memory_remap", { address, bytes, permissions: READ_WRITE })
      kit.equal("write after remap to read and write", kit.store(address, 31), "ok")
      const peer = new Peer(kit)
      const targetAddress = FAR_AWAY
      kit.call("memory_share", { tcb: peer.child.tcb, address, bytes, targetAddress, permissions: Right.read })
      kit.equal("word that the peer reads", peer.load(targetAddress), 31)
      kit.equal("write by the peer", peer.store(targetAddress, 1), "PageFault")
      const wider = { address: targetAddress, bytes, permissions: READ_WRITE }
      kit.equal("remap by the peer to more", peer.outcome("memory_remap", wider), "IllegalOperation")
      peer.end()
      sealAndRenew(kit, frame, address)
      kit.delete(frame)
    },
    fails: refusedShares,
  }),
}

/** "address" for a number that no slot has, else the number. */
function nameKind(name: number): string {
  return name > NO_SLOT ? "address" : String(name)
}

const FAR_AWAY = 0x2000_0000

/** The writer goes on in a sealed frame, and when it has gone another follows it in new memory, where a reader stays. */
function sealAndRenew(kit: Kit, frame: number, address: number): void {
  // Through a capability for reading only: in profile kaal the mapping has what the capability allows.
  const readOnly = kit.derive(frame, Right.read)
  const reader = kit.map(readOnly, Right.read)
  const mapAnew = () => kit.outcome("memory_map", { frame, bytes, permissions: READ_WRITE })
  kit.call("memory_seal", { frame })
  kit.equal("a second writer of a sealed frame", mapAnew(), "IllegalOperation")
  kit.equal("write by the first", kit.store(address, 32), "ok")
  kit.equal("renewal while it has it mapped", kit.outcome("memory_renew", { frame }), "IllegalOperation")
  kit.call("memory_unmap", { address, bytes })
  kit.call("memory_renew", { frame })
  kit.equal("word after the renewal", kit.load(reader), 32)
  const writer = kit.map(frame)
  kit.store(writer, 33)
  kit.equal("word of the next writer", kit.load(reader), 33)
  kit.delete(readOnly)
}

function refusedShares(kit: Kit, { frame, reader }: { readonly frame: number; readonly reader: number }): void {
  const { address } = kit.call("object_attach", { slot: frame, role: 0 })
  const readOnly = kit.call("object_attach", { slot: reader, role: 0 }).address
  for (const name of ["memory_seal", "memory_renew"] as const) {
    kit.refused(`${name} of an empty slot`, "FailedLookup", name, { frame: EMPTY_SLOT })
    kit.refused(`${name} of no frame`, "InvalidCapability", name, { frame: ConventionSlot.untyped })
    kit.refused(`${name} by a reader`, "IllegalOperation", name, { frame: reader })
  }
  const remap = (what: string, code: string, args: { address: number; permissions: number }) =>
    kit.refused(what, code, "memory_remap", { bytes, ...args })
  remap("remap beyond the rights", "IllegalOperation", { address: readOnly, permissions: READ_WRITE })
  remap("remap to execute", "InvalidArgument", { address, permissions: 7 })
  remap("remap where nothing is mapped", "FailedLookup", { address: FAR_AWAY, permissions: 1 })

  const peer = new Peer(kit)
  const good: Args<"memory_share"> = {
    tcb: peer.child.tcb,
    address,
    bytes,
    targetAddress: FAR_AWAY,
    permissions: Right.read,
  }
  const share = (what: string, code: string, wrong: Partial<Args<"memory_share">>) =>
    kit.refused(what, code, "memory_share", { ...good, ...wrong })
  share("share at half a page", "AlignmentError", { targetAddress: FAR_AWAY + 8 })
  share("share over private memory", "RangeError", { targetAddress: PAGE_BYTES })
  share("share outside the VSpace", "RangeError", { targetAddress: OUTSIDE })
  share("share of what is not mapped", "FailedLookup", { address: FAR_AWAY })
  share("share from inside a mapping", "FailedLookup", { address: address + 8 })
  share("share of more than the frame", "RangeError", { bytes: 2 * PAGE_BYTES })
  share("share beyond the rights", "IllegalOperation", { address: readOnly, permissions: READ_WRITE })
  share("share with a frame", "InvalidCapability", { tcb: frame })
  kit.call("memory_share", good)
  share("share over a mapping", "DeleteFirst", {})
  share("share over its guard page", "DeleteFirst", { targetAddress: FAR_AWAY + PAGE_BYTES })
  kit.equal("unmap by the peer", peer.outcome("memory_unmap", { address: FAR_AWAY, bytes }), "ok")
  peer.end()
}
