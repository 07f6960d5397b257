// attacks.test.ts: every attack from confined components.

import t from "tap"
import { checkAttacks } from "./attack-table.ts"
import { missing, WAYS } from "./raw-syscall/tree.ts"

for (const way of WAYS.filter(({ way }) => way !== "none")) {
  t.test(`${way.way}: each attack gets what it must, and nobody else notices`, { skip: missing(way) }, t =>
    checkAttacks(t, way),
  )
}
