// attacks.ts: what the components that attack the kernel and `kaal attacks` say to one another. Plain data.

export interface KernelAttack {
  /** What the attacker tries. */
  readonly name: string
  /** What it must get: the refusals that it was answered, or how it was ended. */
  readonly expected: RegExp
}

/** In the order in which they are made; an attacker is told the position. */
export const KERNEL_ATTACKS = {
  "forged slots": {
    name: "name slots and CNodes that it does not have",
    expected: /^(FailedLookup|InvalidCapability|RangeError)(, (FailedLookup|InvalidCapability|RangeError))*$/,
  },
  "slots of another": {
    name: "name slots and processes of another component",
    expected: /^(FailedLookup|InvalidCapability)(, (FailedLookup|InvalidCapability))*$/,
  },
  "deleted TCB": { name: "use a TCB capability that was deleted", expected: /^FailedLookup$/ },
  replayed: { name: "replay a message", expected: /^3 answers to itself$/ },
  truncated: { name: "cut a message short at every byte", expected: /^TruncatedMessage$/ },
  nonsense: {
    name: "send random bytes and numbers",
    expected: /^(InvalidArgument|RangeError|TruncatedMessage)(, (InvalidArgument|RangeError|TruncatedMessage))*$/,
  },
  "an empty message": {
    name: "send a message of 0 bytes",
    expected: /^killed by SIGKILL: it closed its control socket or sent an empty message$/,
  },
  "one byte too many": {
    name: "send a message of 32,769 bytes",
    expected: /^killed by SIGKILL: it sent a message over 32768 bytes$/,
  },
  "largest message": {
    name: "send the largest message that Linux takes",
    expected: /^killed by SIGKILL: it sent a message over 32768 bytes$/,
  },
  "16 MiB": { name: "send a message of 16 MiB", expected: /^EMSGSIZE$/ },
  "a descriptor": {
    name: "send a descriptor that nobody asked for",
    expected: /^killed by SIGKILL: it sent descriptors that nobody asked for$/,
  },
  "253 descriptors": {
    name: "send 253 descriptors",
    expected: /^killed by SIGKILL: it sent descriptors that nobody asked for$/,
  },
  "254 descriptors": { name: "send 254 descriptors", expected: /^EINVAL$/ },
  "unread replies": {
    name: "make 100,000 syscalls without reading a reply",
    expected: /^killed by SIGKILL: it leaves its replies unread$/,
  },
  "a mapper's answer": {
    name: "answer the mapper a command that was not sent",
    expected: /^killed by SIGKILL: its mapper answered a command that was not sent$/,
  },
  "mapper nonsense": {
    name: "send the mapper nonsense",
    expected: /^killed by SIGKILL: it closed its mapper socket or sent nonsense there$/,
  },
  "all memory": { name: "use up its untyped", expected: /^NotEnoughMemory after \d+$/ },
  "all slots": { name: "use up its slots", expected: /^NotEnoughMemory after \d+$/ },
  "all addresses": { name: "use up its VSpace by mappings", expected: /^NotEnoughMemory after \d+$/ },
  "all lanes": { name: "use up a notification's lanes", expected: /^NotEnoughMemory after 16$/ },
  "all status words": { name: "use up status words, by 1,100 attached notifications", expected: /^1100 answered$/ },
  "all descriptors": {
    name: "use up the daemon's descriptors, by small frames",
    expected: /^NotEnoughMemory after \d+$/,
  },
  "daemon's memory": { name: "fill the daemon's memory, by 1,100 reports of 16 KiB", expected: /^1100 answered$/ },
} as const satisfies Readonly<Record<string, KernelAttack>>

export type KernelAttackKey = keyof typeof KERNEL_ATTACKS
export const KERNEL_ATTACK_KEYS = Object.keys(KERNEL_ATTACKS) as readonly KernelAttackKey[]

/** Slots that an attacker finds filled. */
export const AttackSlot = { untyped: 10, frame: 100, go: 101, free: 110 } as const
/** Arguments of an attacker. */
export const AttackerArg = { attack: 0, slotOfAnother: 1, pidOfAnother: 2 } as const
/** Bytes of an attacker's frame, and of its untyped. */
export const ATTACK_FRAME_BYTES = 1024 * 1024
export const ATTACK_UNTYPED_BITS = 27

export const BystanderRole = { producer: 0, consumer: 1 } as const
/** Slots of a bystander: a channel's two, and the frame in which the consumer counts. */
export const BystanderSlot = { channel: 100, progress: 102 } as const
/** Words of that frame, as byte offsets: items that came, those that were wrong, the longest wait for one. */
export const Progress = { items: 0, wrong: 4, longestMs: 8 } as const

/** What an attacker reports before its attack, and, if it lives, after it. */
export interface AttackerReport {
  /** "succeeds", or why the same done rightly did not. */
  readonly rightly?: string
  readonly got?: string
}

/** What the root task reports: at first that the bystanders run, then one for each attack, in order. */
export type AttacksReport =
  | { readonly kind: "ready" }
  | {
      readonly kind: "attack"
      readonly key: KernelAttackKey
      readonly got: string
      readonly rightly: string
      /** What the bystanders and the kernel were disturbed in; empty when in nothing. */
      readonly disturbed: string
      readonly items: number
      readonly longestMs: number
    }
