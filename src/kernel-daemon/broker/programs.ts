// programs.ts: where the executables and bundles are that a component's process is made of.

import { existsSync, openSync, readdirSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Fd } from "../../../native/index.ts"
import { KernelError } from "../abi/errors.ts"

/** The build's output: this file runs as part of dist/kernel.cjs. */
const dist = dirname(fileURLToPath(import.meta.url))

export const ringWasmPath = join(dist, "ring.wasm")

/** What a confined component's process runs first; it loads the component. */
export const startPath = join(dist, "component-start.cjs")

/** Node itself. The descriptor can be executed whatever the directories are that it lies in; it is the caller's. */
export function openProgram(): Fd {
  return openSync(process.execPath, "r")
}

/** A path of descriptor `fd`, for the process that has it. */
export function descriptorPath(fd: Fd): string {
  return `/proc/self/fd/${fd}`
}

/** A folder of bundled components, NAME.cjs each. */
export class ComponentFolder {
  readonly #path: string

  constructor(path: string = join(dist, "components")) {
    this.#path = resolve(path)
  }

  /** @throws {KernelError} FailedLookup: there is no such component; names those that there are */
  pathOf(name: string): string {
    const path = join(this.#path, `${name}.cjs`)
    if (existsSync(path)) return path
    const known = this.names().join(", ")
    throw new KernelError(
      "FailedLookup",
      `Cannot spawn "${name}": no such component; put a folder src/components/${name} with a main.ts there, or use one of: ${known}`,
    )
  }

  names(): string[] {
    return readdirSync(this.#path)
      .filter(file => file.endsWith(".cjs"))
      .map(file => file.slice(0, -".cjs".length))
      .sort()
  }
}
