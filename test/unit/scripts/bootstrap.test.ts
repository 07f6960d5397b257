// bootstrap.test.ts: a clone becomes ready by itself, once, and says so on stderr only. npm and the builds are stand-ins
// that write down that they were called.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import t, { type Test } from "tap"

const scripts = new URL("../../../scripts/", import.meta.url)
const DEADLINE_MS = 30_000

const note = (what: string) => `import { appendFileSync } from "node:fs"\nappendFileSync("calls", "${what}\\n")\n`
const lockfile = (version: string) =>
  JSON.stringify({ packages: { "": {}, "node_modules/a": { version }, "node_modules/b": { version, optional: true } } })

const hooks = `import { readFile } from "node:fs/promises"
export const load = async (url, context, next) =>
  url.endsWith(".ts") ? { format: "module", source: await readFile(new URL(url)), shortCircuit: true } : next(url, context)`

/** A clone with nothing installed, in a path with a space. Its dependency `b` is one for other processors. */
function clone(t: Test): string {
  const npm = `${note("npm")}import { mkdirSync, writeFileSync } from "node:fs"
console.log("added 1 package")
mkdirSync("node_modules", { recursive: true })
const { packages } = JSON.parse((await import("node:fs")).readFileSync("package-lock.json", "utf8"))
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages: { "node_modules/a": packages["node_modules/a"] } }))`
  const build = `${note("bundles")}import { mkdirSync, writeFileSync } from "node:fs"
console.log("noise")
mkdirSync("dist/components", { recursive: true })
for (const path of ["kaal.cjs", "components/a.cjs"]) writeFileSync("dist/" + path, "")`
  const root = join(
    t.testdir({
      "a clone": {
        "package.json": '{ "type": "module" }',
        "package-lock.json": lockfile("1.0.0"),
        npm: { "npm-cli.js": npm },
        scripts: {
          "build-native.mjs": note("addon"),
          // Node 20 loads no .ts; this stands for the stripping of types.
          "load-ts.mjs": `import { register } from "node:module"\nregister("./hooks.mjs", import.meta.url)`,
          "hooks.mjs": hooks,
          "build.ts": build,
        },
        src: { "a.ts": "export const a = 1\n" },
      },
    }),
    "a clone",
  )
  for (const name of ["bootstrap.mjs", "freshness.mjs", "lock.mjs"]) {
    copyFileSync(new URL(name, scripts), join(root, "scripts", name))
  }
  return root
}

interface Run {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

async function bootstrap(root: string): Promise<Run> {
  // env -u, because tap puts NODE_OPTIONS into whatever environment a child is given.
  const child = spawn("/usr/bin/env", ["-u", "NODE_OPTIONS", process.execPath, "scripts/bootstrap.mjs"], {
    cwd: root,
    env: { PATH: process.env.PATH, npm_execpath: join(root, "npm", "npm-cli.js") },
    timeout: DEADLINE_MS,
  })
  let [stdout, stderr] = ["", ""]
  child.stdout.on("data", chunk => {
    stdout += chunk
  })
  child.stderr.on("data", chunk => {
    stderr += chunk
  })
  const [status] = await once(child, "close")
  return { status, stdout, stderr }
}

/** What was called since the last time. */
function calls(root: string): string[] {
  const path = join(root, "calls")
  const found = existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : []
  rmSync(path, { force: true })
  return found
}

t.test("bootstrap makes a fresh clone ready, and keeps stdout for the command", async t => {
  const root = clone(t)
  const { status, stdout, stderr } = await bootstrap(root)
  t.equal(status, 0, stderr)
  t.equal(stdout, "")
  t.same(calls(root), ["npm", "addon", "bundles"])
  const said = stderr.split("\n").filter(line => line.startsWith("kaal-ipc: "))
  t.same(
    said,
    // The addon's own build says when it compiles.
    ["installing dependencies", "building the bundles"].map(what => `kaal-ipc: ${what}`),
  )
})

t.test("bootstrap does again only what has become stale", async t => {
  const root = clone(t)
  await bootstrap(root)
  calls(root)
  const changes: readonly (readonly [string, () => void, readonly string[]])[] = [
    ["nothing", () => {}, ["addon"]],
    ["a source", () => writeFileSync(join(root, "src", "a.ts"), "export const a = 2\n"), ["addon", "bundles"]],
    ["a new file", () => writeFileSync(join(root, "src", "b.ts"), ""), ["addon", "bundles"]],
    ["a lost bundle", () => rmSync(join(root, "dist", "components", "a.cjs")), ["addon", "bundles"]],
    [
      "another version",
      () => writeFileSync(join(root, "package-lock.json"), lockfile("1.0.1")),
      ["npm", "addon", "bundles"],
    ],
    ["no node_modules", () => rmSync(join(root, "node_modules"), { recursive: true }), ["npm", "addon"]],
    ["a README", () => writeFileSync(join(root, "README.md"), ""), ["addon"]],
  ]
  for (const [what, change, expected] of changes) {
    change()
    t.equal((await bootstrap(root)).status, 0)
    t.same(calls(root), expected, `after a change of ${what}`)
  }
})

t.test("bootstrap twice at once does each step once", async t => {
  const root = clone(t)
  const runs = await Promise.all([bootstrap(root), bootstrap(root)])
  t.same(
    runs.map(run => run.status),
    [0, 0],
  )
  const made = calls(root)
  for (const step of ["npm", "bundles"]) t.equal(made.filter(call => call === step).length, 1, step)
})

t.test("bootstrap fails in the open when a step fails, and tries it again the next time", async t => {
  const root = clone(t)
  writeFileSync(join(root, "scripts", "build.ts"), 'console.log("line 7 is wrong")\nprocess.exitCode = 3\n')
  for (const attempt of ["first", "second"]) {
    const { status, stdout, stderr } = await bootstrap(root)
    t.equal(status, 1, attempt)
    t.equal(stdout, "")
    t.match(stderr, "line 7 is wrong")
    t.notMatch(stderr, /ended with/, "what the step said is enough")
  }
})
