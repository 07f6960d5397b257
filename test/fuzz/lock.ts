// lock.ts: a target with something wrong behind three bytes, which nobody finds by chance.

import { Finding, type Target } from "./target.ts"

export const lockTarget: Target = {
  name: "lock",
  sources: /fuzz\/lock/,
  seeds: () => [new Uint8Array(3)],
  run: input => {
    if (input[0] !== 0x4b) return
    if (input[1] !== 0x61) return
    if (input[2] === 0x6c) throw new Finding("open")
  },
}
