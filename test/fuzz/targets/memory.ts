// memory.ts: what is read from shared memory: headers, indices, records, calls, descriptors. And values of MessagePack.

import { PeerMisbehaviorError, RingError } from "../../../src/ring/errors.ts"
import { PackedConsumer } from "../../../src/ring/payload/packed-ring.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { vspace } from "../../helpers/ring.ts"
import type { Target } from "../target.ts"
import { beginAnew, frames } from "./desert.ts"
import { SHAPES, type Shape } from "./shapes.ts"

/** Refusals that name what stands in memory. */
function typed(run: () => void): void {
  try {
    run()
  } catch (error) {
    const names = error instanceof PeerMisbehaviorError || (error instanceof RingError && error.code === "NotARing")
    if (!names) throw error
  }
}

const WORD_BYTES = 6

/** The shape, the end that is used, and words that are laid over what was there: frame, place, and 32 bits. */
export const memoryTarget: Target = {
  name: "memory",
  sources: /src\/ring\//,
  seeds: () => SHAPES.flatMap((shape, at) => shape.ends.flatMap((_, end) => seedsOf(at, end))),
  run: input => {
    const shape = SHAPES[(input[0] ?? 0) % SHAPES.length] as Shape
    const end = shape.ends[(input[1] ?? 0) % shape.ends.length] as () => void
    beginAnew()
    shape.make()
    vspace.ownedWords.clear()
    const view = new DataView(input.buffer, input.byteOffset, input.length)
    for (let at = 2; at + WORD_BYTES <= input.length; at += WORD_BYTES) {
      const { address } = frames[view.getUint8(at) % frames.length] as (typeof frames)[0]
      vspace.storeWord(address + 4 * view.getUint8(at + 1), view.getUint32(at + 2, true))
    }
    typed(end)
  },
}

/** As it was made; and with each of the first words of the frames another. */
function seedsOf(shape: number, end: number): Uint8Array[] {
  const places = [0, 1, 2, 3, 4, 5, 32, 64, 65, 96, 98, 128]
  const patches = frames.flatMap((_, frame) => places.map(place => [frame, place, 9, 0, 0, 0]))
  return [[], ...patches].map(patch => Uint8Array.of(shape, end, ...patch))
}

const SLOT_BYTES = 256

/** MessagePack, behind its length. */
export const valueTarget: Target = {
  name: "values",
  sources: /src\/ring\/payload\/|msgpackr/,
  seeds: () =>
    [
      "c0",
      "c3",
      "01",
      "e0",
      "cc80",
      "cb3ff8000000000000",
      "cf0102030405060708",
      "a26162",
      "d90161",
      "c4020102",
      "9201c2",
      "81a16101",
      "dc0001c0",
      "de0001a161c0",
      "d6ff00000001",
      "c70cff000000010000000000000001",
      "d40000",
    ].map(hex => {
      const packed = Buffer.from(hex, "hex")
      return Uint8Array.of(packed.length, 0, 0, 0, ...packed)
    }),
  run: input => {
    beginAnew()
    const [producerPart, consumerPart] = frames as [(typeof frames)[0], (typeof frames)[0]]
    const parts = { producerPart, consumerPart }
    SharedRing.create(vspace, parts, { capacity: 4, slotBytes: SLOT_BYTES })
    SharedRing.producer(vspace, parts).tryPush(input.subarray(0, SLOT_BYTES))
    typed(() => {
      new PackedConsumer(SharedRing.consumer(vspace, parts)).tryPop()
    })
  },
}
