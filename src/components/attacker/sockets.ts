// sockets.ts: attacks by how a message is sent: its size, its descriptors, how many, and on the mapper's socket.

import { writeSync } from "node:fs"
import { native } from "../../../native/index.ts"
import { BootFd } from "../../kernel-daemon/abi/boot.ts"
import { MAX_MESSAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import { AttackSlot } from "../../protocols/attacks.ts"
import { encodeRequest, PAGE_BYTES, Permission } from "../runtime/index.ts"
import { type Attack, answer, exchange, SUCCEEDS, send } from "./wire.ts"

const CALL_ID = 78
const CALLS = 100_000
/** Standard input, /dev/null: one descriptor may be sent many times. */
const DESCRIPTOR = 0
const MAPPER_REPLY_BYTES = 8
const request = (): Uint8Array => encodeRequest("yield", CALL_ID, {})
const rightly = (): string => exchange(request())

/** A message of as many bytes, which Linux sends whole or not at all. What follows is the daemon's. */
function write(bytes: number): string {
  writeSync(BootFd.control, new Uint8Array(bytes))
  return answer()
}

const withDescriptors = (count: number): string => {
  send(request(), new Array<number>(count).fill(DESCRIPTOR))
  return answer()
}

export const SOCKET_ATTACKS = {
  "an empty message": { rightly, attack: () => write(0) },
  "one byte too many": {
    // One that the kernel takes, and finds too long for what it says: it is answered.
    rightly: () => (write(MAX_MESSAGE_BYTES) === "InvalidArgument" ? SUCCEEDS : "not answered"),
    attack: () => write(MAX_MESSAGE_BYTES + 1),
  },
  "largest message": {
    rightly,
    attack: () => {
      for (let bytes = 1024 * 1024; ; bytes -= 4096) {
        try {
          return write(bytes)
        } catch (error) {
          if ((error as { code?: string }).code !== "EMSGSIZE") throw error
        }
      }
    },
  },
  "16 MiB": { rightly, attack: () => write(16 * 1024 * 1024) },
  "a descriptor": { rightly, attack: () => withDescriptors(1) },
  "253 descriptors": { rightly, attack: () => withDescriptors(253) },
  "254 descriptors": { rightly, attack: () => withDescriptors(254) },
  "unread replies": {
    rightly: () => {
      for (let call = 0; call < 1_000; call++) if (rightly() !== SUCCEEDS) return "not answered"
      return SUCCEEDS
    },
    attack: () => {
      const message = request()
      // Full means that the daemon is behind: it takes no less than we send.
      for (let sent = 0; sent < CALLS; ) if (send(message)) sent++
      return `${CALLS} taken`
    },
  },
  "a mapper's answer": {
    rightly: mapsRightly,
    attack: () => {
      native.sendMessage(BootFd.mapper, new Uint8Array(MAPPER_REPLY_BYTES).fill(0xee), [])
      return answer()
    },
  },
  "mapper nonsense": {
    rightly: mapsRightly,
    attack: () => {
      native.sendMessage(BootFd.mapper, new Uint8Array(5), [])
      return mapsRightly()
    },
  },
} satisfies Readonly<Record<string, Attack>>

/** The mapper's own answer to a command that was sent. */
function mapsRightly(): string {
  const map = { frame: AttackSlot.frame, bytes: PAGE_BYTES, permissions: Permission.read }
  return exchange(encodeRequest("memory_map", CALL_ID, map))
}
