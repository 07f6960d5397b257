// profile.ts: the two profiles that a kernel runs in, and every point in which they differ. Pure data.
//
// Profile kaal changes what a component sees. It never makes more of a capability than it is: what KaaL gives without one
// (kernel pointers by name, memory by its number, full rights from a registry) is given in neither profile.

/** Each switch: what KaaL does (at 7a7bd08), and why strict does not. On in profile kaal, off in strict. */
export const Switches = {
  allocateGivesAddress: {
    kaal: "memory_allocate answers an address such as 0x40000000, which then names the frame wherever a slot does",
    strict: "the slot of a capability is all that names anything; a number that looks like an address invites guessing",
  },
  signalNamesAnyBits: {
    kaal: "whoever may signal names any of the 64 bits, whatever the capability's badge",
    strict: "a badge is authority: whoever has one cannot be taken for another",
  },
  signalOfNothingIsLost: {
    kaal: "a signal of no bits succeeds and reaches nobody, and a mint with badge 0 makes an unbadged child",
    strict: "InvalidArgument: it is a mistake that nobody could find",
  },
  mintRebadges: {
    kaal: "a badged capability is minted again with any badge",
    strict: "IllegalOperation: badges only narrow along a derivation",
  },
  copyIsAlwaysSibling: {
    kaal: "the copy of an original hangs beside it, below its parent, and outlives its revocation",
    strict: "the copy is the original's child: who gives copies away can take them back",
  },
  revokeRemovesItself: {
    kaal: "cap_revoke empties the named slot as well",
    strict: "seL4's revoke keeps it: the owner takes everything back and goes on",
  },
  emptySlotIsRefused: {
    kaal: "cap_delete and cap_revoke of an empty slot are refused, also of one from cap_allocate",
    strict: "seL4's succeed: what was asked for holds already",
  },
  moveStaysInCNode: {
    kaal: "cap_move between two CNodes is refused",
    strict: "a capability goes wherever its holder may write, with its place in the tree",
  },
  cnodeZeroIsOwn: {
    kaal: "0 as a CNode means the caller's own root CNode, with every right",
    strict: "slot 0 is empty, as in seL4: an argument that was forgotten is found",
  },
  bytesRoundUp: {
    kaal: "memory_map, memory_map_into, memory_unmap, memory_remap and memory_share round bytes up to whole pages",
    strict: "AlignmentError: what one does not see is not mapped",
  },
  mapIgnoresPermissions: {
    kaal: "memory_map and memory_map_into take any permissions and map all that the capability allows, never executable",
    strict: "the mapping has what was asked for, or is refused",
  },
} as const satisfies Readonly<Record<string, { readonly kaal: string; readonly strict: string }>>

export type SwitchName = keyof typeof Switches
export type ProfileName = "strict" | "kaal"
export const PROFILE_NAMES: readonly ProfileName[] = ["strict", "kaal"]

/** True for each switch that is on. */
export type Profile = Readonly<Record<SwitchName, boolean>>

const all = (on: boolean) =>
  Object.fromEntries(Object.keys(Switches).map(name => [name, on])) as Record<SwitchName, boolean>

export const Profiles: Readonly<Record<ProfileName, Profile>> = { strict: all(false), kaal: all(true) }

/** Where profile kaal's addresses begin: the memory of the machine that KaaL runs on, above every slot number. */
export const FIRST_ADDRESS = 0x4000_0000
/** They are 32-bit numbers, as slots are, and not used twice. */
export const END_OF_ADDRESSES = 2 ** 32
