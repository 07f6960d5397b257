// vspace-map.ts: what stands where in a component's VSpace. A virtual address is a byte offset into its one shared memory.

import { PAGE_BYTES } from "./limits.ts"

/** All of it, reserved once, never grown. Addresses stay below 2^30, so they are small integers in V8. */
export const VSPACE_BYTES = 1024 * 1024 * 1024

/** Page 0 is never mapped: address 0 is valid in WebAssembly, and a null pointer must fault. */
export const PRIVATE_START = PAGE_BYTES
/** [PRIVATE_START, PRIVATE_END) is ordinary private memory: an end's own indices, staging buffers, the compiler's data. */
export const PRIVATE_END = 16 * 1024 * 1024

/**
 * The first eight private bytes: for how many nanoseconds the main thread sleeps at most where it sleeps now, as a 64-bit
 * float. Infinity: until somebody wakes it. The daemon reads it to tell a standstill from a wait that ends by itself.
 */
export const SLEEPS_FOR = PRIVATE_START

/** One page that only the daemon writes: the component's status words, 32 bits each. */
export const KERNEL_PAGE = PRIVATE_END
export const MAX_STATUS_WORDS = PAGE_BYTES / 4

/** [FRAMES_START, FRAMES_END) is where the kernel maps frames, page-aligned, at addresses of its choice. */
export const FRAMES_START = KERNEL_PAGE + 16 * PAGE_BYTES
export const FRAMES_END = VSPACE_BYTES
