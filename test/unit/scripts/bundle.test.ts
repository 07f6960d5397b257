// bundle.test.ts: a folder becomes a program without an edit anywhere, and a bundle is a program that runs.

import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import t, { type Test } from "tap"
import { bundle, entries } from "../../../scripts/bundle.ts"

const whereAmI = 'import { helper } from "./helper.ts"\nconsole.log(import.meta.url, helper)\n'
const helper = 'export const helper: string = "bundled in"\n'

function tree(t: Test): string {
  return t.testdir({
    src: {
      "kernel-daemon": {
        "main.ts": "export {}\n",
        "start.ts": "export {}\n",
        cli: { "main.ts": whereAmI, "helper.ts": helper },
      },
      components: {
        alpha: { "main.ts": "export {}\n" },
        beta: { "main.ts": "export {}\n" },
        library: { "shared.ts": "export {}\n" },
        runtime: { "main.ts": "export {}\n", "start.ts": "export {}\n" },
      },
    },
  })
}

t.test("entries() lists the programs, and every component folder with a main.ts except the runtime", async t => {
  t.same(Object.keys(entries(tree(t))), [
    ...["kernel-daemon", "kernel", "kaal", "component-start"],
    ...["components/alpha", "components/beta"],
  ])
})

t.test("bundle() writes CommonJS that knows where it is, and the command starts by itself", async t => {
  const root = tree(t)
  const out = join(root, "out dir")
  await bundle(root, out)
  const kaal = join(out, "kaal.cjs")
  t.ok(readFileSync(kaal, "utf8").startsWith("#!/usr/bin/env node\n"))
  t.equal(statSync(kaal).mode & 0o777, 0o755)
  const printed = execFileSync(kaal, { encoding: "utf8", timeout: 20_000 })
  t.equal(printed, `${pathToFileURL(kaal).href} bundled in\n`)
})

t.test("bundle() removes the bundle of a component that is gone", async t => {
  const root = tree(t)
  const out = join(root, "out")
  await bundle(root, out)
  t.ok(existsSync(join(out, "components", "beta.cjs")))
  rmSync(join(root, "src", "components", "beta"), { recursive: true })
  await bundle(root, out)
  t.notOk(existsSync(join(out, "components", "beta.cjs")))
  t.ok(existsSync(join(out, "components", "alpha.cjs")))
})
