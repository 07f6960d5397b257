// launch.ts: starts the processes of components, in the way that the confinement asks for.

import { readFileSync } from "node:fs"
import { ADDON_VARIABLE, addonPath, type Fd, native, type Spawned } from "../../../native/index.ts"
import { OPTIMISE_ALL } from "../../ring/hot.ts"
import { BootFd, GRACE_VARIABLE, RING_WASM_VARIABLE } from "../abi/boot.ts"
import { type ConfinementKind, launch } from "./confinement-run.ts"
import { descriptorPath, openProgram, ringWasmPath, startPath } from "./programs.ts"

/** What confined components are made of, beside their script. They may not read the directories to it. */
interface Parts {
  readonly program: Fd
  readonly start: Fd
  readonly addon: Fd
  readonly ringWasm: Fd
}

export class Launch {
  readonly confinement: ConfinementKind
  readonly #parts: Parts | undefined
  readonly #graceMs: number | undefined

  /**
   * @param graceMs how long components go on when this process has died, at least 0; then a guard has to end them. Without,
   *   they die with it
   * Cost: copies of the files, about a millisecond; their descriptors are kept.
   */
  constructor(confinement: ConfinementKind, graceMs?: number) {
    this.confinement = confinement
    this.#graceMs = graceMs
    if (confinement === "none") return
    this.#parts = {
      program: openProgram(),
      start: sealed(startPath),
      addon: sealed(addonPath()),
      ringWasm: sealed(ringWasmPath),
    }
  }

  /** Whether components are of one user, so that frames with one writer want a seal: see StartMessage. */
  get seals(): boolean {
    return this.confinement === "namespace" || this.confinement === "filter"
  }

  /**
   * Starts the component bundled in the file `script`, with these descriptors from 0 on, as BootFd numbers them.
   * @param way that of this launch, or "none"
   * @throws {NativeError} out of processes, descriptors or memory
   */
  start(script: string, fds: readonly Fd[], way: ConfinementKind): Spawned {
    if (this.#parts !== undefined && way !== "none") return this.#startConfined(this.#parts, script, fds)
    return launch("none", {
      command: [process.execPath, OPTIMISE_ALL, script],
      env: this.#environment(addonPath(), ringWasmPath),
      fds,
      guarded: this.#graceMs !== undefined,
    })
  }

  #startConfined({ program, start, addon, ringWasm }: Parts, script: string, fds: readonly Fd[]): Spawned {
    const copy = sealed(script)
    try {
      return launch(this.confinement, {
        command: [
          descriptorPath(BootFd.program),
          OPTIMISE_ALL,
          // A descriptor's path is a link to nowhere, not to be followed by name.
          "--preserve-symlinks",
          "--preserve-symlinks-main",
          descriptorPath(BootFd.start),
          script, // for whoever lists processes
        ],
        env: this.#environment(descriptorPath(BootFd.addon), descriptorPath(BootFd.ringWasm)),
        fds: [...fds, program, start, copy, addon, ringWasm],
        guarded: this.#graceMs !== undefined,
      })
    } finally {
      native.closeFd(copy)
    }
  }

  /** Nothing is inherited: NODE_OPTIONS would slow the component, NODE_EXTRA_CA_CERTS costs 40 ms of its start. */
  #environment(addon: string, ringWasm: string): string[] {
    return [
      `${ADDON_VARIABLE}=${addon}`,
      `${RING_WASM_VARIABLE}=${ringWasm}`,
      `${GRACE_VARIABLE}=${this.#graceMs ?? 0}`,
    ]
  }
}

function sealed(path: string): Fd {
  return native.createSealedFile(readFileSync(path), "kaal-program")
}
