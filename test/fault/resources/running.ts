// running.ts: a kaal whose system calls can be made to fail, and what one looks like from outside.

import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { heldBy, residentKiB } from "../../helpers/holdings.ts"
import { bundleComponents, descendants, type ProcessInfo, root } from "../../helpers/system.ts"
import { PlanFile } from "./plan-file.ts"

/** Longer than every deadline of the system, the children's own of 20 s included. */
const ROUND_MS = 40_000
const LOOK_MS = 5

/** What a root task prints after a round. */
export interface AnyRound {
  readonly round: number
  /** The first free slot, and what is free of the untyped. */
  readonly left: { readonly slot: number; readonly freeBytes: number }
}

/** What resources-root prints. */
export interface Round extends AnyRound {
  readonly refused?: {
    readonly step: string
    readonly name: string
    readonly code?: string
    readonly message: string
    readonly leaked: number
  }
}

/** The library that lets calls fail, and the bundled components: made once, removed by `remove`. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), "inject-"))
  readonly library = join(this.folder, "inject.so")
  readonly plan: PlanFile
  components = ""

  /** What boots as the root task. */
  readonly rootTask: string

  private constructor(rootTask: string) {
    this.rootTask = rootTask
    // Components have user ids of their own.
    chmodSync(this.folder, 0o755)
    const flags = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    const sources = ["inject.cc", "plan.cc"].map(name => join(root, "native/inject", name))
    execFileSync("g++", [...flags, "-o", this.library, ...sources, "-ldl"])
    this.plan = new PlanFile(join(this.folder, "plan"))
    chmodSync(this.plan.path, 0o666)
  }

  /** @param others components beside the root task */
  static async open(rootTask: string, others: readonly string[]): Promise<Workshop> {
    const workshop = new Workshop(rootTask)
    workshop.components = await bundleComponents([rootTask, ...others])
    return workshop
  }

  remove(): void {
    this.plan.close()
    for (const path of [this.folder, this.components]) rmSync(path, { recursive: true, force: true })
  }
}

export class Running<R extends AnyRound = Round> {
  readonly #child: ChildProcess
  readonly #plan: PlanFile
  /** All that was printed. */
  output = ""
  #ended: { readonly code: number | null; readonly signal: string | null } | undefined

  /**
   * Boots the root task; it runs a round at once unless the plan's is 0, and then ends.
   * @param options more of them for `kaal run`
   */
  constructor({ library, plan, components, rootTask }: Workshop, options: readonly string[] = []) {
    this.#plan = plan
    const args = ["run", rootTask, "--components", components, "--timeout", "3600", ...options]
    const { NODE_OPTIONS: _, ...env } = process.env
    this.#child = spawn(process.execPath, [join(root, "dist/kaal.cjs"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...env, LD_PRELOAD: library, KAAL_INJECT: plan.path },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", text => {
        this.output += text
      })
    }
    this.#child.once("close", (code, signal) => {
      this.#ended = { code, signal }
    })
  }

  /** What a round gave; or nothing when the system ended instead. @throws {Error} neither in time */
  async round(round: number): Promise<R | undefined> {
    const from = this.output.length
    this.#plan.setRound(round)
    const found = await this.#wait(() => {
      const line = this.output
        .slice(from)
        .split("\n")
        .find(each => each.includes(`{"round":${round},`))
      return line === undefined ? undefined : (JSON.parse(line.slice(line.indexOf("{"))) as R)
    })
    return found
  }

  /** Has it end and waits for that; its exit code, or the signal that ended it. @throws {Error} it does not end */
  async end(): Promise<number | string | null> {
    this.#plan.setRound(0)
    await this.#wait(() => undefined)
    return this.#ended?.signal ?? this.#ended?.code ?? null
  }

  kill(): void {
    this.#child.kill("SIGKILL")
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined
  }

  /** Of the daemon and all components. */
  processes(): ProcessInfo[] {
    return descendants(this.#child.pid ?? 0)
  }

  /** Of the one that runs this script: the daemon, or a component. @throws {Error} there is none */
  pidOf(script: string): number {
    const found = this.processes().find(({ command }) => command.includes(script) && !command.includes("kaal-launcher"))
    if (found === undefined) throw new Error(`Nobody runs ${script}: ${this.output.slice(-2_000)}`)
    return found.pid
  }

  /** What the daemon and the root task hold, and who runs: equal texts are equal systems. */
  census(): string {
    const all = this.processes()
    const held = all
      .filter(({ command }) => !command.includes("kaal-launcher"))
      .map(({ pid, command }) => `${command.replace(/.*\//, "")}: ${heldBy(pid)}`)
    return [`${all.length} processes`, ...held].join("; ")
  }

  /** What the daemon's process has in memory of its own: to be told, since V8 takes and gives back as it likes. */
  get daemonKiB(): number {
    return residentKiB(this.pidOf("kernel-daemon.cjs"))
  }

  async #wait<T>(look: () => T | undefined): Promise<T | undefined> {
    const deadline = performance.now() + ROUND_MS
    for (;;) {
      const found = look()
      if (found !== undefined || this.#ended !== undefined) return found
      if (performance.now() > deadline) throw new Error(`hangs: ${this.output.slice(-2_000)}`)
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
  }
}
