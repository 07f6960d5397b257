// pattern.ts: fills a frame and checks it, every byte. The accesses are plain stores and loads on the mapped pages.

import type { FrameMapping, VSpace } from "../runtime/index.ts"
import { patternByte } from "./payload.ts"
import type { TaskLog } from "./task-log.ts"

/** The pattern in each direction. */
export const PatternSeed = { producer: 17, consumer: 201 } as const

export function fillFrame(vspace: VSpace, frame: FrameMapping, seed: number): void {
  const bytes = vspace.u8.subarray(frame.address, frame.address + frame.bytes)
  for (let index = 0; index < bytes.length; index++) bytes[index] = patternByte(seed, index)
}

/** Counts every byte as checked and names the first that differs. */
export function verifyFrame(vspace: VSpace, frame: FrameMapping, seed: number, log: TaskLog): void {
  const bytes = vspace.u8.subarray(frame.address, frame.address + frame.bytes)
  const wrong = bytes.findIndex((byte, index) => byte !== patternByte(seed, index))
  log.countItems(bytes.length)
  if (wrong >= 0) log.fail(`byte ${wrong} is ${bytes[wrong]}, expected ${patternByte(seed, wrong)}`)
}
