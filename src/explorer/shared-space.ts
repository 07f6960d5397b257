// shared-space.ts: the addresses of an explored process, and the calls that stand in the place of its accesses to shared memory.

/** Addresses below are a process's own and are accessed as ever; from here on they are shared. */
export const SHARED_START = 0x4000
/** A process's own memory that nothing is allocated in. All of its own is cleared before each run: it is kept small. */
export const SCRATCH = 0x3000
/** Bytes of private and shared addresses together. */
export const SPACE_BYTES = 0x2_0000

/** What the instrumented module imports as "explorer": the shared accesses. `atomic` is 1 or 0; 64 bits travel as bigint. */
export interface SharedAccesses {
  load32(address: number, atomic: number): number
  load64(address: number, atomic: number): bigint
  store32(address: number, value: number, atomic: number): void
  store64(address: number, value: bigint, atomic: number): void
  exchange32(address: number, value: number): number
  compareExchange32(address: number, expected: number, value: number): number
}
