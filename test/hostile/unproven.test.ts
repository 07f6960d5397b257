// unproven.test.ts: a revoke says "unproven" of a component that is not confined, or that the daemon may not look at; where
// the component's end proves it, it is killed instead.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { Proof } from "../../src/kernel-daemon/abi/syscalls.ts"
import { hostileTree, kaalIn, missing, WAYS, type Way } from "./raw-syscall/tree.ts"

const { proved, unproven } = Proof
const SETPRIV = "/usr/bin/setpriv"
/** A daemon that is root and may not look into its components: CAP_SYS_PTRACE is missing from all that it can have. */
const UNTRACING = [SETPRIV, "--bounding-set=-sys_ptrace"]
/** As its first act the holder takes itself out of its user's sight (prctl PR_SET_DUMPABLE), its folder in /proc is root's. */
const HIDES = 'if (process.argv[2].endsWith("unproven-holder.cjs")) rawSyscall(157, 4, 0)\n'

interface Scene {
  readonly what: string
  readonly way: Way["way"]
  readonly wrapper?: readonly string[]
  readonly hides?: true
  readonly confined?: false
  readonly flags?: readonly string[]
  readonly proof: number
  /** Of what the root task itself had mapped. */
  readonly ownProof: number
  readonly holder: unknown
  readonly says: RegExp
}

const killed = { kind: "killed", detail: /its end alone proves that it let go/ }
const lives = { holder: "PageFault", says: /, running, confined$/ }
const loose = { holder: "PageFault", says: /, running, NOT confined$/ }
const scenes: readonly Scene[] = [
  { what: "a user id for each", way: "user-id", proof: proved, ownProof: proved, ...lives },
  { what: "the same without CAP_SYS_PTRACE", way: "user-id", wrapper: UNTRACING, ...both(unproven), ...lives },
  { what: "the same, the holder hidden", way: "user-id", hides: true, ...both(proved), ...lives },
  { what: "namespaces for each", way: "namespace", ...both(proved), ...lives },
  {
    what: "the same, the holder hidden",
    way: "namespace",
    hides: true,
    ...both(proved),
    holder: killed,
    says: /ended, confined$/,
  },
  { what: "a filter alone", way: "filter", ...both(proved), ...lives },
  { what: "nobody confined", way: "none", flags: ["--no-confine"], ...both(unproven), ...loose },
  {
    what: "one of them unconfined, user ids",
    way: "user-id",
    confined: false,
    proof: unproven,
    ownProof: proved,
    ...loose,
  },
  {
    what: "one of them unconfined, namespaces",
    way: "namespace",
    confined: false,
    proof: unproven,
    ownProof: proved,
    ...loose,
  },
]

function both(proof: number): { proof: number; ownProof: number } {
  return { proof, ownProof: proof }
}

function skipOf({ way, wrapper, hides }: Scene): string | false {
  if (wrapper !== undefined && !existsSync(SETPRIV)) return "there is no setpriv here"
  if (hides && process.arch !== "x64") return "the numbers are those of x86-64"
  return missing(WAYS.find(candidate => candidate.way === way) as Way)
}

const plain = await hostileTree(t, ["unproven-root", "unproven-holder"])
const hiding = await hostileTree(t, ["unproven-root", "unproven-holder"])
const start = join(hiding, "dist/component-start.cjs")
const [load, ...rest] = readFileSync(start, "utf8").split("\n")
writeFileSync(start, [load, HIDES, ...rest].join("\n"))

for (const scene of scenes) {
  const { what, way, confined = true, flags = [], proof, ownProof, holder, says } = scene
  t.test(`${way}, ${what}: a revoke says whether it is proved`, { skip: skipOf(scene) }, async t => {
    const tree = scene.hides ? hiding : plain
    const args = ["run", "unproven-root", String(Number(confined)), "--components", join(tree, "components"), ...flags]
    const { user, wrapper } = WAYS.find(candidate => candidate.way === way) as Way
    const { stdout, stderr } = await kaalIn(tree, user, args, {}, { wrapper: scene.wrapper ?? wrapper })
    const answer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "")
    const isOneLoose = !confined && way !== "none"
    t.equal(/unproven-holder is NOT confined, as its parent wanted/.test(stderr), isOneLoose, "kaal run says so")
    const taken = { proof, confined: confined && way !== "none", text: says, child: holder }
    t.match(answer, { revoked: taken, deleted: taken, unmapped: ownProof })
  })
}

t.test("kaal doctor says why a revoke is not proved", { skip: skipOf(scenes[1] as Scene) }, async t => {
  const revocation = async (wrapper: readonly string[], env = {}) => {
    const { stdout } = await kaalIn(plain, "root", ["doctor", "--json"], env, { wrapper })
    return JSON.parse(stdout).revocation
  }
  t.same(await revocation([]), { proof: "proved", because: "" })
  t.match(await revocation(UNTRACING), { proof: "unproven", because: /root lacks CAP_SYS_PTRACE/ })
  t.match(await revocation([], { KAAL_CONFINE: "off" }), { proof: "unproven", because: /not confined/ })
})
