// check-tree.test.ts: what must not be in the repository is found, and what may be is not.

import t from "tap"
import { checkTree, fileViolations } from "../../../scripts/check-tree.ts"

// Put together here, so that this file is not itself what it speaks of.
const path = (...parts: string[]) => `/${parts.join("/")}`
const call = (method: string) => `t.${method}("name", async t => {})`

t.test("fileViolations() finds absolute paths of one machine", async t => {
  for (const folder of ["work", "home", "root"]) {
    t.match(fileViolations("docs/a.md", `see ${path(folder, "me")}`), [/^docs\/a.md:1: an absolute path/], folder)
  }
  for (const fine of [
    `https://example.org${path("work", "x")}`,
    `~${path("work", "x")}`,
    path("proc", "self", "fd"),
    path("root"),
  ]) {
    t.same(fileViolations("docs/a.md", fine), [], fine)
  }
})

t.test("fileViolations() finds tests that hide others or themselves", async t => {
  const hidden = [
    call("only"),
    call("skip"),
    `t.test("x", { ${"only"}: true }, f)`,
    `t.test("x", { ${"skip"}: true }, f)`,
  ]
  for (const line of hidden) {
    t.match(fileViolations("test/a.test.ts", `// a.test.ts: x\n${line}`), [/^test\/a.test.ts:2: hides a test/], line)
    t.same(fileViolations("src/a.ts", `// a.ts: x\n${line}`), [], "elsewhere the word is free")
  }
  t.same(fileViolations("test/a.test.ts", '// a.test.ts: x\nt.test("x", { skip: "one processor only" }, f)'), [])
})

t.test("fileViolations() wants a first line that says what the file is", async t => {
  for (const name of ["a.ts", "a.mjs", "a.cc", "a.h"]) {
    t.same(fileViolations(`src/${name}`, `// ${name}: says what it is\n`), [])
    t.match(fileViolations(`src/${name}`, "// something else\n"), [/must begin with/], name)
  }
  t.same(fileViolations("scripts/a.mjs", "#!/usr/bin/env node\n// a.mjs: says what it is\n"), [])
  t.same(fileViolations("docs/a.md", "# A title\n"), [])
})

t.test("fileViolations() limits a source to 400 lines", async t => {
  const source = (lines: number) => `// a.ts: x\n${"\n".repeat(lines - 1)}`
  t.same(fileViolations("src/a.ts", source(400)), [])
  t.match(fileViolations("src/a.ts", source(401)), [/has 401 lines, the limit is 400/])
})

t.test("fileViolations() keeps registry hosts out of the lockfile", async t => {
  const entry = (url: string) => `{\n"resolved": "${url}"\n}`
  t.match(fileViolations("package-lock.json", entry("https://registry.example.org/x.tgz")), [
    /^package-lock.json:2: names/,
  ])
  t.same(fileViolations("package-lock.json", entry("vendor/x")), [])
})

t.test("checkTree() finds big files, binary files and missing ones", async t => {
  const root = t.testdir({ "big.md": "x".repeat(512 * 1024 + 1), "binary.md": "a\0b", "fine.md": "fine", LICENSE: "" })
  t.same(checkTree(root, ["big.md", "binary.md", "fine.md"]), [
    "CHANGELOG.md: is missing",
    "package-lock.json: is missing",
    "big.md: has 524289 bytes, the limit is 524288; do not track it",
    "binary.md: is binary; generate it instead",
  ])
})
