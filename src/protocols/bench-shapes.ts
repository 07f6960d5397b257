// bench-shapes.ts: what the components of bench-shapes are told, and what the root reports. Plain data; imports nothing.

/** Positions in the arguments. The root is told the first three; its children the rest as well. */
export const ShapesArg = { shape: 0, messages: 1, bytes: 2, role: 3, index: 4 } as const

/** Two producers merged; one producer to two consumers that are waited for; one that overtakes its consumer; calls. */
export const Shape = { merge: 0, broadcast: 1, lossy: 2, service: 3 } as const
export type ShapeName = keyof typeof Shape

/** What the children of one shape do: who sends, and who measures. */
export const ShapesRole = { sender: 0, receiver: 1 } as const

export interface ShapesReport {
  /** Messages received, or calls answered, a second. */
  readonly perSecond: number
  /** Of a merge: the larger producer's share divided by the smaller's, when the first of them had sent all. */
  readonly shareRatio: number | null
  /** Of an overtaken consumer: the part of the messages that it lost. */
  readonly lostPart: number | null
}
