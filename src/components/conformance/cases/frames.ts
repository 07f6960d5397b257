// frames.ts: FRAMEDIPC, FRAMEXN, PT: what becomes of mappings when capabilities and addresses change.

import { PAGE_BYTES, Permission, Right } from "../../runtime/index.ts"
import { type Case, READ_WRITE } from "../kit.ts"
import { Peer } from "../peer.ts"

const bytes = PAGE_BYTES

const deletedFrame: Case = {
  shows: "deleting a frame capability removes the mappings made through it, in every component, and no others",
  run(kit) {
    const frame = kit.frame()
    const mapped = kit.derive(frame)
    const peer = new Peer(kit)
    const { pid } = peer.child
    const own = kit.map(mapped)
    const { address: there } = kit.call("memory_map_into", { frame: mapped, bytes, permissions: READ_WRITE, pid })
    const kept = kit.map(frame)
    kit.equal("write by the peer", peer.store(there, 11), "ok")
    kit.equal("read here", kit.load(own), 11)
    kit.delete(mapped)
    kit.equal("read here after delete", kit.load(own), "PageFault")
    kit.equal("read by the peer after delete", peer.load(there), "PageFault")
    kit.equal("read through another capability", kit.load(kept), 11)

    const granted = 40
    kit.call("cap_grant", { source: frame, tcb: peer.child.tcb, slot: granted, rights: Right.read })
    const mine = peer.call("memory_map", { frame: granted, bytes, permissions: Permission.read }).address as number
    kit.equal("read by the peer of its own mapping", peer.load(mine), 11)
    kit.equal("write by the peer of its read-only mapping", peer.store(mine, 12), "PageFault")
    kit.revoke(frame)
    kit.equal("read by the peer after revoke", peer.load(mine), "PageFault")
    const here = kit.load(kept)
    kit.differs("revokeRemovesItself", "a frame after the revoke of its capability", here, {
      strict: 11,
      kaal: "PageFault",
    })
    kit.delete(frame)
    kit.equal("read here after the last delete", kit.load(kept), "PageFault")
    peer.end()
  },
}

const neverExecutable: Case = {
  shows: "no frame is ever mapped executable, whatever else is asked for and whatever rights there are",
  run(kit) {
    const frame = kit.frame()
    const map = (permissions: number, slot = frame) => kit.mapOutcome({ frame: slot, bytes, permissions })
    const { execute } = Permission
    for (const permissions of [execute, execute | Permission.read, execute | READ_WRITE, 0, Permission.write, 8, 11]) {
      const wanted = { strict: "InvalidArgument", kaal: "ok" }
      kit.differs("mapIgnoresPermissions", `map with permissions ${permissions}`, map(permissions), wanted)
    }
    const address = kit.map(frame, Permission.read)
    const written = kit.store(address, 0)
    kit.differs("mapIgnoresPermissions", "write to what was mapped to be read", written, {
      strict: "PageFault",
      kaal: "ok",
    })
    kit.call("memory_remap", { address, bytes, permissions: Permission.read })
    const remap = (permissions: number) => kit.outcome("memory_remap", { address, bytes, permissions })
    kit.equal("remap to executable", remap(execute | Permission.read), "InvalidArgument")
    kit.equal("read of the mapping that was refused a change", kit.load(address), 0)
    kit.equal("write to it", kit.store(address, 1), "PageFault")
    kit.equal("remap to read and write", remap(READ_WRITE), "ok")
    kit.equal("write to it then", kit.store(address, 1), "ok")

    const readOnly = kit.derive(frame, Right.read)
    kit.differs("mapIgnoresPermissions", "map beyond the rights", map(READ_WRITE, readOnly), {
      strict: "IllegalOperation",
      kaal: "ok",
    })
    kit.equal("write through a capability to read", kit.store(kit.map(readOnly, Permission.read), 1), "PageFault")
    kit.equal("map within the rights", kit.load(kit.map(readOnly, Permission.read)), 1)
    const writeOnly = kit.derive(frame, Right.write)
    kit.refused("map without the read right", "IllegalOperation", "memory_map", {
      frame: writeOnly,
      bytes,
      permissions: Permission.read,
    })
    kit.delete(readOnly, writeOnly, frame)
  },
}

const reusedAddress: Case = {
  shows: "an address that is used again shows the new frame and nothing of the old, which keeps what it held",
  run(kit) {
    const [first, second] = [kit.frame(), kit.frame()]
    const address = kit.map(first)
    kit.equal("write to the first frame", kit.store(address, 21), "ok")
    kit.call("memory_unmap", { address, bytes })
    kit.equal("read when nothing is mapped", kit.load(address), "PageFault")
    kit.refused("unmap once more", "FailedLookup", "memory_unmap", { address, bytes })
    kit.equal("address of the second frame", kit.map(second), address)
    kit.equal("read of the second frame", kit.load(address), 0)
    kit.equal("write to the second frame", kit.store(address, 22), "ok")
    const elsewhere = kit.map(first)
    kit.equal("whether the first frame stands elsewhere", elsewhere !== address, true)
    kit.equal("read of the first frame there", kit.load(elsewhere), 21)
    kit.delete(second)
    kit.equal("read after delete of the second", kit.load(address), "PageFault")
    kit.equal("address of the first frame", kit.map(first), address)
    kit.equal("read of the first frame where the second was", kit.load(address), 21)
    kit.delete(first)
  },
}

export const FRAMES = { FRAMEDIPC0003: deletedFrame, FRAMEXN0001: neverExecutable, PT0002: reusedAddress }
