// programs.ts: where the executables and bundles are that a component's process is made of.

import { existsSync, readdirSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { KernelError } from "../abi/errors.ts"

/** The build's output: this file runs as part of dist/kernel-daemon.cjs. */
const dist = dirname(fileURLToPath(import.meta.url))

export const ringWasmPath = join(dist, "ring.wasm")

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
