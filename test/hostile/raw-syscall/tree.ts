// tree.ts: a copy of the built project whose components can make any system call: an addon for that is loaded before the
// process is confined, which no real component can do.

import { execFile, execFileSync } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Test } from "tap"
import { noNamespaces, noUserIds } from "../../helpers/confinement.ts"
import { bundleFixtures, root } from "../../helpers/system.ts"

const run = promisify(execFile)
const DEADLINE_MS = 30_000
const NOBODY = 65_534

/**
 * A user who has no rights and cannot get namespaces: it is in one already, whose limit is 0, and has given up what made
 * it root there.
 */
const POWERLESS = [
  ...["/usr/bin/unshare", "--user", "--map-root-user", "/bin/sh", "-c"],
  'echo 0 >/proc/sys/user/max_user_namespaces && exec /usr/bin/setpriv --bounding-set=-all --inh-caps=-all "$@"',
  "sh",
]

/** Who runs the daemon, so which confinement its components get. */
export const WAYS = [
  { way: "user-id", user: "root", flags: [], wrapper: [] },
  { way: "namespace", user: "nobody", flags: [], wrapper: [] },
  { way: "filter", user: "nobody", flags: [], wrapper: POWERLESS },
  { way: "none", user: "root", flags: ["--no-confine"], wrapper: [] },
] as const

export type Way = (typeof WAYS)[number]

/** Why a way cannot be tried here, false when it can. */
export function missing({ way }: Way): string | false {
  if (way === "filter" && !["unshare", "setpriv"].every(name => existsSync(`/usr/bin/${name}`))) return "no util-linux"
  if (way === "namespace" || way === "filter") return noNamespaces
  return way === "user-id" && noUserIds
}

/** The folder; anybody can read it. It is removed when the test ends. */
export async function hostileTree(t: Test, fixtures: readonly string[]): Promise<string> {
  const tree = mkdtempSync(join(tmpdir(), "kaal-hostile-"))
  t.teardown(() => rmSync(tree, { recursive: true, force: true }))
  chmodSync(tree, 0o755)
  const addon = join(tree, "raw_syscall.node")
  const headers = join(root, "node_modules/node-api-headers/include")
  const source = join(import.meta.dirname, "raw_syscall.cc")
  execFileSync(process.env.CXX ?? "c++", ["-std=c++17", "-shared", "-fPIC", "-isystem", headers, "-o", addon, source])

  cpSync(join(root, "dist"), join(tree, "dist"), { recursive: true })
  cpSync(await bundleFixtures(t, fixtures), join(tree, "components"), { recursive: true })
  chmodSync(join(tree, "components"), 0o755)
  mkdirSync(join(tree, "build/Release"), { recursive: true })
  for (const name of ["kaal.node", "kaal-launcher"]) {
    copyFileSync(join(root, "build/Release", name), join(tree, "build/Release", name))
  }
  const start = join(tree, "dist/component-start.cjs")
  const load = `{ const module = { exports: {} }; process.dlopen(module, ${JSON.stringify(addon)}); globalThis.rawSyscall = module.exports.syscall }`
  writeFileSync(start, `${load}\n${readFileSync(start, "utf8")}`)
  return tree
}

/** Boots a fixture as the root task; resolves with what it reported. Rejects when the command fails. */
export async function runIn(tree: string, fixture: string, { user, flags, wrapper }: Way): Promise<unknown> {
  const args = ["run", fixture, "--components", join(tree, "components"), ...flags]
  const { stdout } = await kaalIn(tree, user, args, {}, { wrapper })
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
}

/** The tree's `kaal` as root, or as somebody who has no rights at all; `wrapper` is a command that runs another. */
export function kaalIn(
  tree: string,
  user: Way["user"],
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { wrapper = [], timeout = DEADLINE_MS }: { readonly wrapper?: readonly string[]; readonly timeout?: number } = {},
): Promise<{ stdout: string; stderr: string }> {
  const nobody = user === "nobody" && process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const [file = "", ...command] = [...wrapper, process.execPath, join(tree, "dist/kaal.cjs"), ...args]
  return run(file, command, { ...nobody, cwd: "/", env: { TMPDIR: "/tmp", ...env }, timeout })
}
