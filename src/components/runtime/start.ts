// start.ts: the first JavaScript in a confined component's process. It confines the process, and only then loads the
// component, of which not a line has run before.

import { createRequire } from "node:module"
import { native } from "../../../native/index.ts"
import { BootFd } from "../../kernel-daemon/abi/boot.ts"

native.closeFd(BootFd.program)
native.confineProcess()
createRequire(import.meta.url)(`/proc/self/fd/${BootFd.script}`)
