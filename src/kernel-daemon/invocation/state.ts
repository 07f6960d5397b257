// state.ts: all that the kernel knows, and the effects that the invocation at hand has gathered.

import { encodeReply } from "../abi/codec.ts"
import { KernelError } from "../abi/errors.ts"
import { END_OF_ADDRESSES, FIRST_ADDRESS, type Profile, type ProfileName, Profiles } from "../abi/profile.ts"
import type { Result, SyscallName } from "../abi/syscalls.ts"
import type { Component } from "../objects/component.ts"
import type { ComponentId, MemoryId } from "../objects/kernel-object.ts"
import type { AcquireEffect, CommitEffect } from "./effects.ts"

export const ROOT_TASK: ComponentId = 1

/** What is done piece by piece, or after the effects before it. */
export interface Piece {
  /** What is to be acquired for the next piece. */
  collect(): AcquireEffect[]
  /** Does the piece; whether it was the last. */
  apply(proved?: boolean): boolean
}

export class KernelState {
  readonly profileName: ProfileName
  readonly profile: Profile
  /** Living components, and ended ones for as long as somebody holds a TCB capability to them. */
  readonly components = new Map<ComponentId, Component>()
  shuttingDown = false
  /** Whether components are confined that nobody wants otherwise. */
  readonly confines: boolean
  readonly #pieces = new Map<number, Piece>()
  #lastToken = 0
  #gathered: CommitEffect[] = []
  #lastComponent = 0
  #lastMemory = 0
  #nextAddress = FIRST_ADDRESS

  constructor({
    confines = true,
    profile = "strict",
  }: { readonly confines?: boolean; readonly profile?: ProfileName } = {}) {
    this.confines = confines
    this.profileName = profile
    this.profile = Profiles[profile]
  }

  /** The component if it has not ended. */
  living(id: ComponentId): Component | undefined {
    const component = this.components.get(id)
    return component?.state === "ended" ? undefined : component
  }

  livingCount(): number {
    let count = 0
    for (const component of this.components.values()) if (component.state !== "ended") count += 1
    return count
  }

  newComponentId(): ComponentId {
    this.#lastComponent += 1
    return this.#lastComponent
  }

  newMemoryId(): MemoryId {
    this.#lastMemory += 1
    return this.#lastMemory
  }

  /**
   * Checks that an address can be had for `bytes` of new memory, a multiple of the page size.
   * @throws {KernelError} NotEnoughMemory: they are used up
   */
  ensureAddresses(bytes: number): void {
    const left = END_OF_ADDRESSES - this.#nextAddress
    if (!this.profile.allocateGivesAddress || bytes <= left) return
    throw new KernelError(
      "NotEnoughMemory",
      `bytes is ${bytes}, addresses are left for ${left}, and none is used twice: make the frame with retype`,
    )
  }

  /** What the next `bytes` of memory are called where the profile has addresses. `ensureAddresses` was called. */
  newAddress(bytes: number): number | undefined {
    if (!this.profile.allocateGivesAddress) return undefined
    const address = this.#nextAddress
    this.#nextAddress += bytes
    return address
  }

  /** Keeps what is to go on at a `continue` effect. Returns the token that it is taken up again with. */
  keepPiece(piece: Piece): number {
    this.#lastToken += 1
    this.#pieces.set(this.#lastToken, piece)
    return this.#lastToken
  }

  /** Gives it back, once. */
  takePiece(token: number): Piece | undefined {
    const piece = this.#pieces.get(token)
    this.#pieces.delete(token)
    return piece
  }

  emit(effect: CommitEffect): void {
    this.#gathered.push(effect)
  }

  /** Answers a call; nobody is left to answer where the caller has ended. */
  answer<N extends SyscallName>(name: N, caller: ComponentId, callId: number, result: Result<N>): void {
    if (this.living(caller) === undefined) return
    this.emit({ kind: "reply", component: caller, callId, message: encodeReply(name, callId, result) })
  }

  /** What was gathered since the last drain, in order. */
  drain(): CommitEffect[] {
    const gathered = this.#gathered
    this.#gathered = []
    return gathered
  }
}
