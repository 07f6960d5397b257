// check-mutants.ts: would the tests notice if one of the kernel's checks were missing? Switches each of them off, one at a
// time, in a copy of the sources, and runs the kernel's pure tests; against those that survive, the conformance cases.
// Prints every check with what noticed it, and the score. Wrong is a check that nothing notices.

import { spawn } from "node:child_process"
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build } from "esbuild"
import { bundle } from "./bundle.ts"
import { EQUIVALENT } from "./equivalent-mutants.ts"
import { type Mutant, mutantsOf } from "./mutants.ts"
import { makeWorkingCopy } from "./working-copy.ts"

const root = join(import.meta.dirname, "..")
const ROOMS = ["src/kernel-daemon/objects", "src/kernel-daemon/invocation"]
/** Those that need no process and no addon. The model last: it takes longest. */
const PURE_TESTS = [
  ...filesOf("test/unit/kernel-daemon", ".test.ts"),
  "test/conformance/kernel-checks.test.ts",
  ...filesOf("test/model", ".test.ts"),
]
const AT_ONCE = 2
const PURE_DEADLINE_MS = 60_000
const CONFORMANCE_TIMEOUT_S = 60
const NONE = -1

type Verdict = "pure tests" | "conformance" | "nothing" | "nothing, which is right"

/** A copy of the sources in which every check has a switch. */
function makeCopy(): { copy: string; mutants: Mutant[] } {
  const copy = makeWorkingCopy(["src", "test", "native"])
  const mutants: Mutant[] = []
  for (const path of ROOMS.flatMap(room => filesOf(room, ".ts"))) {
    const found = mutantsOf(path, readFileSync(join(root, path), "utf8"), mutants.length)
    mutants.push(...found.mutants)
    writeFileSync(join(copy, path), found.text)
  }
  return { copy, mutants }
}

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder))
    .filter(name => name.endsWith(ending))
    .sort()
    .map(name => `${folder}/${name}`)
}

/** All pure tests as one program, which runs the mutant that KAAL_MUTANT names and stops at the first failure. */
async function bundleTests(copy: string): Promise<string> {
  const suite = join(copy, "suite.mjs")
  await build({
    absWorkingDir: copy,
    stdin: {
      // The same histories for each mutant, and no search for shorter ones: that they fail is enough.
      contents: ['import fc from "fast-check"', "fc.configureGlobal({ seed: 1, endOnFailure: true })"]
        .concat(PURE_TESTS.map(path => `await import("./${path}")`))
        .join("\n"),
      resolveDir: copy,
    },
    outfile: suite,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    logLevel: "warning",
    banner: { js: `globalThis.kaalMutant = Number(process.env.KAAL_MUTANT)` },
  })
  return suite
}

/** True when the program fails, dies or hangs. */
function fails(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  deadlineMs: number,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: "ignore",
      env: { PATH: process.env.PATH, ...env },
      timeout: deadlineMs,
      killSignal: "SIGKILL",
    })
    child.on("error", reject)
    child.on("close", status => resolve(status !== 0))
  })
}

function pureTestsNotice(suite: string, mutant: number): Promise<boolean> {
  return fails(process.execPath, [suite], { KAAL_MUTANT: String(mutant), TAP_BAIL: "1" }, PURE_DEADLINE_MS)
}

/** The daemon's environment is its own, so the number is written into its program. */
async function conformanceNotices(copy: string, mutant: number): Promise<boolean> {
  const daemon = join(copy, "dist/kernel.cjs")
  const program = readFileSync(daemon, "utf8")
  writeFileSync(daemon, `globalThis.kaalMutant = ${mutant}\n${program}`)
  try {
    const args = [join(copy, "dist/kaal.cjs"), "conformance", "--timeout", String(CONFORMANCE_TIMEOUT_S)]
    return await fails(process.execPath, args, {}, 2 * 1000 * CONFORMANCE_TIMEOUT_S)
  } finally {
    writeFileSync(daemon, program)
  }
}

async function verdictsOf(copy: string, mutants: readonly Mutant[]): Promise<Verdict[]> {
  const suite = await bundleTests(copy)
  if (await pureTestsNotice(suite, NONE)) throw new Error("The pure tests fail with every check in place")
  const verdicts = new Array<Verdict>(mutants.length).fill("nothing")
  const waiting = [...mutants.keys()]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (await pureTestsNotice(suite, next)) verdicts[next] = "pure tests"
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))

  const equivalent = mutants.map(mutant =>
    EQUIVALENT.some(({ path, text }) => path === mutant.path && text === mutant.text),
  )
  const survivors = [...mutants.keys()].filter(index => verdicts[index] === "nothing")
  for (const index of survivors) if (equivalent[index]) verdicts[index] = "nothing, which is right"
  const open = survivors.filter(index => !equivalent[index])
  if (open.length === 0) return verdicts
  await bundle(copy, join(copy, "dist"))
  cpSync(join(root, "dist/ring.wasm"), join(copy, "dist/ring.wasm"))
  if (await conformanceNotices(copy, NONE)) throw new Error("The conformance cases fail with every check in place")
  for (const index of open) if (await conformanceNotices(copy, index)) verdicts[index] = "conformance"
  return verdicts
}

/** Reasons that no longer fit: the text is gone, or a test notices after all. */
function staleReasons(mutants: readonly Mutant[], verdicts: readonly Verdict[]): string[] {
  return EQUIVALENT.filter(
    ({ path, text }) =>
      !mutants.some((mutant, index) => {
        return mutant.path === path && mutant.text === text && verdicts[index] === "nothing, which is right"
      }),
  ).map(({ path, text }) => `${path}: "${text}" is listed as equivalent, but is noticed or no longer there`)
}

const start = performance.now()
const { copy, mutants } = makeCopy()
const verdicts = await verdictsOf(copy, mutants)
mutants.forEach(({ path, line, text }, index) => {
  console.log(`${String(verdicts[index]).padEnd(24)} ${path.replace("src/kernel-daemon/", "")}:${line} ${text}`)
})
for (const { path, text, reason } of EQUIVALENT) console.log(`equivalent: ${path}, "${text}": ${reason}`)
const stale = staleReasons(mutants, verdicts)
for (const line of stale) console.log(line)
const count = (verdict: Verdict): number => verdicts.filter(other => other === verdict).length
const real = mutants.length - count("nothing, which is right")
const noticed = count("pure tests") + count("conformance")
const seconds = Math.round((performance.now() - start) / 1000)
console.log(
  `${noticed} of ${real} checks are noticed when they are missing (${count("conformance")} by conformance alone), ` +
    `${mutants.length - real} are equivalent; ${seconds} s`,
)
if (noticed < real || stale.length > 0) process.exitCode = 1
