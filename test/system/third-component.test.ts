// third-component.test.ts: a new folder in src/components can be spawned by its name, with no other edit.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import t from "tap"
import { bundle } from "../../scripts/bundle.ts"
import { root, runKaal } from "../helpers/system.ts"

const hello = `import { component } from "../runtime/index.ts"
component(self => {
  self.print(\`hello from \${self.name}, arguments \${self.arguments.join(" ")}\`)
  self.report({ sum: self.arguments.reduce((a, b) => a + b, 0) })
})
`
const parent = `import { component } from "../runtime/index.ts"
component(self => {
  const child = self.spawnWithCaps({ componentName: "my-hello", capabilities: [], arguments: [1, 2, 39] })
  child.start()
  self.report(child.wait())
})
`

t.test("a component of one's own", async t => {
  const copy = mkdtempSync(join(tmpdir(), "third-component-"))
  t.teardown(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true })
  cpSync(join(root, "native/index.ts"), join(copy, "native/index.ts"))
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  for (const [name, source] of [
    ["my-hello", hello],
    ["my-parent", parent],
  ] as const) {
    mkdirSync(join(copy, "src/components", name))
    writeFileSync(join(copy, "src/components", name, "main.ts"), source)
  }
  await bundle(copy, join(copy, "dist"))
  const components = ["--components", join(copy, "dist/components")]

  t.test("can be booted", async t => {
    const { code, stdout } = await runKaal(t, ["run", "my-hello", "7", ...components])
    t.equal(code, 0)
    t.match(stdout, /^my-hello: hello from my-hello, arguments 7$/m, "its lines appear with its name")
    t.match(stdout, '{"sum":7}')
  })
  t.test("can be spawned by another", async t => {
    const { code, json, stdout } = await runKaal(t, ["run", "my-parent", ...components])
    t.equal(code, 0)
    t.match(stdout, /^my-hello: hello from my-hello, arguments 1 2 39$/m)
    t.same(json, { kind: "reported", report: { sum: 42 } })
  })
  t.test("one that does not exist is refused by name, with those that there are", async t => {
    const { code, stderr } = await runKaal(t, ["run", "my-other", ...components])
    t.equal(code, 1)
    t.match(stderr, /"my-other".*my-hello/)
  })
})
