// kept.test.ts: a component that keeps a page with system calls of its own is found out by the revoke, whatever it was told
// to unmap before, and whatever else of the same memory it may show.

import t from "tap"
import { Proof } from "../../src/kernel-daemon/abi/syscalls.ts"
import { hostileTree, kaalIn, missing, WAYS, type Way } from "./raw-syscall/tree.ts"

const tree = await hostileTree(t, ["kept-root", "kept-holder"])
const killed = { kind: "killed", detail: /it keeps memory \d+ that was revoked/ }

for (const way of WAYS.filter(({ way }) => way === "user-id" || way === "namespace") as Way[]) {
  const skip = missing(way) || (process.arch !== "x64" && "the numbers are those of x86-64")
  for (const [what, number, child] of [
    ["keeps nothing goes on", 0, { reads: 0 }],
    ["keeps what it said it had unmapped is killed", 1, killed],
    ["keeps to write what it may only read is killed", 2, killed],
  ] as const) {
    t.test(`${way.way}: one that ${what}, and the revoke is proved`, { skip }, async t => {
      const args = ["run", "kept-root", String(number), "--components", `${tree}/components`, ...way.flags]
      const { stdout } = await kaalIn(tree, way.user, args)
      t.match(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""), { proof: Proof.proved, child })
    })
  }
}
