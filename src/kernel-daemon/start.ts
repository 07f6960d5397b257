// start.ts: the daemon's first file. Has all of the kernel compiled before it serves anybody, instead of each function when it
// is first called: whoever waits for a component that dies would wait 2 ms for the compiler as well.

import { createRequire } from "node:module"
import { setFlagsFromString } from "node:v8"

setFlagsFromString("--no-lazy")
createRequire(import.meta.url)("./kernel.cjs")
setFlagsFromString("--lazy")
