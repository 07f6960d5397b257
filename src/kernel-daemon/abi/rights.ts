// rights.ts: what a capability lets its holder do, and what a mapping lets a process do. Two bit sets, declared once.

/** Bits of a capability's rights. They only shrink along a derivation. */
export const Right = { read: 1, write: 2, grant: 4 } as const

/** A bit set of `Right`, 0 to 7. */
export type Rights = number

export const NO_RIGHTS: Rights = 0
export const ALL_RIGHTS: Rights = Right.read | Right.write | Right.grant

/** True when every right in `rights` is also in `of`. */
export function isSubset(rights: Rights, of: Rights): boolean {
  return (rights & ~of) === 0
}

/** "rwg", "r", "none": for messages. Bits outside `ALL_RIGHTS` are shown as a number. */
export function formatRights(rights: Rights): string {
  if (rights === NO_RIGHTS) return "none"
  const unknown = rights & ~ALL_RIGHTS
  const known = (rights & Right.read ? "r" : "") + (rights & Right.write ? "w" : "") + (rights & Right.grant ? "g" : "")
  return unknown === 0 ? known : `${known}+0x${unknown.toString(16)}`
}

/** Bits of a mapping's permissions, KaaL's numbers. Execute is declared so that it can be refused by name. */
export const Permission = { read: 1, write: 2, execute: 4 } as const

/** A bit set of `Permission`. Shared frames are never executable, and never write-only. */
export type Permissions = number

/** "rw", "r", "x", "none": for messages. */
export function formatPermissions(permissions: Permissions): string {
  const text =
    (permissions & Permission.read ? "r" : "") +
    (permissions & Permission.write ? "w" : "") +
    (permissions & Permission.execute ? "x" : "")
  return text === "" ? "none" : text
}
