// outcome.ts: what performing a call comes to: a result, a transaction with the world, a removal in pieces, or a wait.

import type { Args, Result, SyscallName } from "../abi/syscalls.ts"
import type { Component } from "../objects/component.ts"
import type { AcquireEffect } from "./effects.ts"
import type { Removal } from "./removal.ts"
import type { KernelState } from "./state.ts"

/** Who called, and how to answer. */
export interface Caller {
  readonly component: Component
  readonly callId: number
}

/** A call that depends on what the operating system says. What it needs is reserved before it is returned. */
export class Transaction<R> {
  readonly acquire: readonly AcquireEffect[]
  /**
   * Makes the change; `proved` is what its prove-unmapped effects came to. Throws a KernelError, having given everything back, if what it rested on was revoked meanwhile.
   */
  readonly commit: (proved: boolean) => R
  /** Gives back what was reserved. */
  readonly refuse: () => void

  constructor(acquire: readonly AcquireEffect[], commit: (proved: boolean) => R, refuse: () => void) {
    this.acquire = acquire
    this.commit = commit
    this.refuse = refuse
  }
}

/** The answer comes with a later event. */
export const BLOCKED = Symbol("blocked")

export type Outcome<N extends SyscallName> = Result<N> | Transaction<Result<N>> | Removal | typeof BLOCKED

/**
 * Checks everything first and throws a KernelError; past that it cannot fail, and has made its change or reserved it.
 */
export type Handler<N extends SyscallName> = (state: KernelState, caller: Caller, args: Args<N>) => Outcome<N>
