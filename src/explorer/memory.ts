// memory.ts: the words that the processes of a case share, and what an access makes of them. They begin at SHARED_START.

import { collected, isReady, listenedTo, rung } from "./event-loop.ts"
import type { Access } from "./process.ts"
import { SHARED_START } from "./shared-space.ts"

/** Something that must not be, in the case and not in the explorer. */
export class Violation extends Error {}

/** Shared words: each state has its own. */
export const WORDS = 512

/** Whether there is a shared word at this address. */
export function isInside(address: number): boolean {
  const index = (address - SHARED_START) / 4
  return Number.isInteger(index) && index < WORDS
}

export function indexOf(address: number): number {
  if (isInside(address)) return (address - SHARED_START) / 4
  throw new Violation(`an access at ${address}, which is none of the ${WORDS} shared words`)
}

/** @returns what the access returns; 0 where it returns nothing */
export function perform(memory: Uint32Array, bells: number[], access: Access): bigint {
  const { kind, address, bytes, value = 0n, expected } = access
  if (isCall(access)) return performCall(bells, access)
  const index = indexOf(address)
  const low = BigInt(memory[index] ?? 0)
  const found = bytes === 8 ? (BigInt(memory[index + 1] ?? 0) << 32n) | low : low
  if (kind === "load" || (kind === "compareExchange" && found !== expected)) return found
  memory[index] = Number(value & 0xffff_ffffn)
  if (bytes === 8) memory[index + 1] = Number(value >> 32n)
  return kind === "store" ? 0n : found
}

function performCall(bells: number[], { kind, address, bells: heard = [] }: Access): bigint {
  if (kind === "ring") bells[address] = rung(bells[address] ?? 0)
  if (kind === "listen") bells[address] = listenedTo(bells[address] ?? 0)
  if (kind !== "collect") return 0n
  const ready = heard.filter(bell => isReady(bells[bell] ?? 0))
  for (const bell of ready) bells[bell] = collected(bells[bell] ?? 0)
  return ready.reduce((set, bell) => set | (1n << BigInt(bell)), 0n)
}

/** A system call, which touches no shared memory; or a case's watch of words, which has no result. */
export function isCall({ kind }: Access): boolean {
  return !(kind === "load" || kind === "store" || kind === "exchange" || kind === "compareExchange")
}

export function isAtomicLoad(access: Access | undefined): access is Access {
  return access?.kind === "load" && access.atomic
}

/** Shared words that a wait sleeps on. A private one is one that nobody changes. */
export function sharedWords(access: Access | undefined): number[] {
  return access?.words?.filter((address, at) => at % 2 === 0 && address >= SHARED_START) ?? []
}

export function isUnchanged(memory: Uint32Array, { words = [] }: Access): boolean {
  return words.every((address, at) => {
    return at % 2 === 1 || address < SHARED_START || memory[indexOf(address)] === words[at + 1]
  })
}

export function conflict(a: Access, b: Access): boolean {
  if (isCall(a) || (a.kind === "load" && b.kind === "load")) return false
  return a.address < b.address + b.bytes && b.address < a.address + a.bytes
}
