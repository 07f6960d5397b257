// unknown-syscalls.ts: SYSCALL: numbers that no call has, and the raw form, in which every refusal is all ones.

import { Syscalls } from "../../runtime/index.ts"
import { disturbsNothing } from "../disturbs-nothing.ts"
import { EMPTY_SLOT, type Kit } from "../kit.ts"

const ALL_ONES = 0xffff_ffff_ffff_ffffn
/** Enough to meet every number between the known ones, and the ends of the range. */
const HIGHEST = 0x1100
const FAR_NUMBERS = [0x2000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

/** A request in bytes: number and call's number, 32 bits each, then a 64-bit word for each argument. */
function request(number: number, words: readonly (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(8 + 8 * words.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, number, true)
  view.setUint32(4, 1, true)
  for (const [index, word] of words.entries()) view.setBigUint64(8 + 8 * index, BigInt(word), true)
  return bytes
}

function raw(kit: Kit, number: number, ...words: readonly (number | bigint)[]): bigint {
  return kit.self.callRaw(request(number, words))
}

export const UNKNOWN_SYSCALLS = {
  SYSCALL0017: disturbsNothing("every number that is no syscall's", {
    succeeds(kit) {
      kit.equal("the number of yield", raw(kit, Syscalls.yield.number), 0n)
    },
    fails(kit) {
      const known = new Set<number>(Object.values(Syscalls).map(({ number }) => number))
      for (let number = 0; number < HIGHEST; number++) {
        if (!known.has(number)) kit.equal(`number ${number}`, raw(kit, number), ALL_ONES)
      }
      for (const number of FAR_NUMBERS)
        kit.equal(`number ${number} with arguments`, raw(kit, number, 1, 2, 3), ALL_ONES)
    },
  }),

  SYSCALL0018: disturbsNothing("the raw form, whose refusal is all ones", {
    succeeds(kit) {
      // A slot, or the address that stands for it.
      const slot = Number(raw(kit, Syscalls.memory_allocate.number, 4096))
      kit.equal("slot of a frame", kit.holds(slot), true)
      const address = raw(kit, Syscalls.memory_map.number, slot, 4096, 3)
      kit.equal("word in it", kit.load(Number(address)), 0)
      kit.equal("delete", raw(kit, Syscalls.cap_delete.number, kit.own, slot), 0n)
      kit.equal("read after it", kit.load(Number(address)), "PageFault")
    },
    fails(kit, { frame }) {
      const { memory_map, cap_derive, cap_delete, memory_allocate } = Syscalls
      const refused = (what: string, result: bigint) => kit.equal(what, result, ALL_ONES)
      refused("an empty slot", raw(kit, memory_map.number, EMPTY_SLOT, 4096, 3))
      const executable = raw(kit, memory_map.number, frame, 4096, 7)
      kit.differs("mapIgnoresPermissions", "whether a map to be executed is refused", executable === ALL_ONES, {
        strict: true,
        kaal: false,
      })
      if (executable !== ALL_ONES) kit.call("memory_unmap", { address: Number(executable), bytes: 4096 })
      refused("a slot of 64 bits", raw(kit, memory_map.number, ALL_ONES, 4096, 3))
      refused("a size of 64 bits", raw(kit, memory_allocate.number, ALL_ONES))
      refused("a size that overflows when it is rounded up", raw(kit, memory_allocate.number, 2 ** 53 - 1))
      refused("a slot just beyond 32 bits", raw(kit, cap_delete.number, kit.own, 0x1_0000_0000n + BigInt(frame)))
      refused("an argument too few", raw(kit, cap_derive.number, kit.own, frame, EMPTY_SLOT))
      refused("an argument too many", raw(kit, cap_derive.number, kit.own, frame, EMPTY_SLOT, 1, 1))
      refused("no argument at all", raw(kit, cap_delete.number))
      const whole = request(cap_delete.number, [kit.own, frame])
      for (const bytes of [1, 4, 7, 9, 23]) refused(`${bytes} bytes`, kit.self.callRaw(whole.subarray(0, bytes)))
      kit.equal("slots after all refusals", kit.picture([frame, EMPTY_SLOT]), "o-")
    },
  }),
}
