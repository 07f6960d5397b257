// third-component.test.ts: a new folder in src/components can be spawned by its name, with no other edit. The components
// are the README's, as they stand there.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { bundleWith } from "../helpers/source-copy.ts"
import { root, runKaal } from "../helpers/system.ts"

const EXAMPLES = [
  "my-hello",
  ...["my-root", "my-child"],
  ...["my-market", "my-seller", "my-buyer"],
  ...["my-office", "my-clerk", "my-caller"],
  ...["my-station", "my-sensor", "my-monitor"],
  ...["my-press", "my-printer", "my-reader"],
  ...["my-yard", "my-farm", "my-mill"],
  ...["my-lender", "my-borrower"],
]

/** The README's blocks of TypeScript that name their file in the first line, by that path. */
function readmeSources(): Map<string, string> {
  const readme = readFileSync(join(root, "README.md"), "utf8")
  const blocks = readme.matchAll(/```ts\n(\/\/ (src\/components\/\S+)\n[\s\S]*?)```/g)
  return new Map([...blocks].map(([, source = "", path = ""]) => [path, source]))
}

t.test("a component of one's own", async t => {
  const sources = readmeSources()
  t.same(
    [...sources.keys()],
    EXAMPLES.map(name => `src/components/${name}/main.ts`),
    "each is run below",
  )
  const components = ["--components", await bundleWith(t, sources)]

  t.test("can be booted, and its lines appear with its name", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-hello", "1", "2", "3", ...components])
    t.equal(code, 0, stderr)
    t.match(stdout, /^my-hello: hello, my arguments are 1 2 3$/m)
  })
  t.test("can spawn another by its folder's name and share a ring with it", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-root", ...components])
    t.equal(code, 0, stderr)
    t.match(stdout, /^my-root: \{ kind: 'reported', report: \{ text: 'a message' \} \}$/m)
  })
  t.test("can send declared messages, batches, MessagePack, records and payloads of 64 MiB over channels", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-market", ...components])
    t.equal(code, 0, stderr)
    for (const line of [
      "prices: [ 9.5, 9.75 ]",
      "firstBytes: [ 1, 2, 3 ]",
      "item: 'bolt'",
      "note: 'a note'",
      "length: 67108864",
      "second: 2",
      "{ kind: 'exited', code: 0 }",
    ]) {
      t.ok(stdout.includes(line), `${line} in ${stdout}`)
    }
  })
  t.test("can answer the calls of another", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-office", ...components])
    t.equal(code, 0, stderr)
    t.match(stdout, /report: \[ 3, 2, 1 \] \} \{ kind: 'exited', code: 0 \}$/m)
    t.match(stdout, /^my-clerk: no client is left: peer-gone$/m)
  })
  t.test("can lend their ends to a worker thread", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-yard", ...components])
    t.equal(code, 0, stderr)
    t.match(stdout, /report: \[ \[ 30 \], \[ 40 \] \] \} \{ kind: 'exited', code: 0 \}$/m)
  })
  t.test("can wait on their event loops", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-station", ...components])
    t.equal(code, 0, stderr)
    const values = /bigint \{\s*kind: 'reported',\s*report: \[ \[ 20, 20\.1, 20\.2 \], \[ 21, 21\.1, 21\.2 \] \]/
    t.match(stdout.replaceAll("my-station: ", ""), values)
  })
  t.test("can stream payloads with back-pressure", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-press", ...components])
    t.equal(code, 0, stderr)
    const report =
      /lengths: \[ 100000, 200000, 300000, 400000, 500000 \],\s*ended: true\s*\}\s*\} \{ kind: 'exited', code: 0 \}/
    t.match(stdout.replaceAll("my-press: ", ""), report)
  })
  t.test("can lend a frame and take it back while it is read", async t => {
    const { code, stdout, stderr } = await runKaal(t, ["run", "my-lender", ...components])
    t.equal(code, 0, stderr)
    t.match(stdout, /^my-lender: it is reading$/m)
    t.match(stdout, /^my-lender: true \{$/m, "the revoke is proved")
    t.match(stdout, /Page fault: read at 0x[0-9a-f]+/)
  })
  t.test("that does not exist is refused by name, with those that there are", async t => {
    const { code, stderr } = await runKaal(t, ["run", "my-other", ...components])
    t.equal(code, 1)
    t.match(stderr, /"my-other".*my-hello/)
  })
})
