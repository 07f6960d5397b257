// endpoint.ts: where senders and receivers meet. The object only: it can be made, passed on and destroyed.

import { OBJECT_BYTES } from "../abi/limits.ts"
import { ObjectBase } from "./kernel-object.ts"
import type { Untyped } from "./untyped.ts"

export class Endpoint extends ObjectBase {
  readonly type = "Endpoint"

  constructor(origin: Untyped) {
    super(origin, OBJECT_BYTES.endpoint)
  }
}
