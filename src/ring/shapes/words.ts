// words.ts: what ../words.ts is for a ring, for the other shapes: plain numbers, which AssemblyScript imports as well.

import { LINE_BYTES } from "../words.ts"

// --- A merge, in its consumer's private memory.

/**
 * Each ring takes three of the 128 words that futex_waitv takes: how far its producer is, whether that has closed, and its
 * status.
 */
export const MAX_MERGED = 42

/** Rings. */
export const MERGE_COUNT = 0
/** The ring that is looked at first. */
export const MERGE_NEXT = 4
/** Messages in a row that one ring may still deliver while others wait; and how many it is given. */
export const MERGE_LEFT = 8
export const MERGE_BUDGET = 12
/** The ring that the last result is about, set before it is touched; MERGE_NOBODY: all are gone. */
export const MERGE_SOURCE = 16
export const MERGE_NOBODY = 0xffff_ffff
/** For each ring: the address of the end's state (END_ in ../words.ts), what is known of it, messages taken (64 bits). */
export const MERGE_ENDS = LINE_BYTES
export const MERGE_STATES = MERGE_ENDS + 4 * MAX_MERGED
export const MERGE_TAKEN = MERGE_STATES + 4 * MAX_MERGED // A multiple of 8.
export const MERGE_BYTES = MERGE_TAKEN + 8 * MAX_MERGED

/** Looked at. */
export const MERGE_LIVE = 0
/** Its producer is gone, or has closed, and the consumer has been told. Still looked at: a new one may come. */
export const MERGE_GONE = 1
export const MERGE_CLOSED = 3
/** Never touched again. */
export const MERGE_EXCLUDED = 2

// --- A broadcast, the producer's part: only the producer writes it (the header: only the creator), all consumers read it.

/** "KBRC". Published last, by the creator. */
export const BROADCAST_MAGIC = 0x4352424b
export const BROADCAST_LAYOUT_VERSION = 2

export const BROADCAST_VERSION_WORD = 4
export const BROADCAST_CAPACITY_WORD = 8
export const BROADCAST_SLOT_BYTES_WORD = 12
export const BROADCAST_CONSUMERS_WORD = 16
/** 1: slots may be overwritten before all have read them, so all words of a slot are written atomically. */
export const BROADCAST_OVERWRITES_WORD = 20
/** Messages committed, 64 bits: it never wraps, so a consumer knows exactly how many it lost. */
export const BROADCAST_WRITE_INDEX = LINE_BYTES
/** 1 once the producer has closed its end. */
export const BROADCAST_CLOSED = BROADCAST_WRITE_INDEX + 8
export const BROADCAST_SLOTS = 2 * LINE_BYTES

/** In front of each slot's payload, 64 bits, where slots are overwritten: 2n + 1 while message n is written, then 2n + 2. */
export const SLOT_SEQUENCE_BYTES = 8

// --- A broadcast, the link to one consumer: only the producer writes it (the policy: the creator), only that consumer reads it.

/** One of the POLICY_ numbers; 0 is no link. */
export const LINK_POLICY_WORD = 0
/** The futex word that the consumer sleeps on; it changes with each wake-up. */
export const LINK_WAKE = LINE_BYTES
/**
 * The attach that takes part, by its CONSUMER_ATTACH; written after LINK_START. The creator lets the first one take part
 * before it comes, unless the consumer is to join late.
 */
export const LINK_ACCEPTED = 2 * LINE_BYTES
/** The attach that takes part no more: it was too slow, it died, or its index was impossible. */
export const LINK_ENDED = LINK_ACCEPTED + 4
/** The first message for the attach that takes part, 64 bits. */
export const LINK_START = LINK_ACCEPTED + 8
/** The producer's sleep number. */
export const LINK_PRODUCER_SLEEP = LINK_ACCEPTED + 16
export const LINK_BYTES = 3 * LINE_BYTES

// --- A broadcast, one consumer's part: only that consumer writes it, only the producer reads it.

/** Messages read, 64 bits. The producer sleeps on its lower half. */
export const CONSUMER_READ_INDEX = 0
/** Counts the attaches of consumers to this part, in 31 bits; 0 until the first, and never again. */
export const CONSUMER_ATTACH = LINE_BYTES
/** Beside the count: that attach has closed its end. */
export const ATTACH_CLOSED = 0x8000_0000
/** The consumer's sleep number. */
export const CONSUMER_SLEEP = CONSUMER_ATTACH + 4
/** Messages that this attach has lost, 64 bits. */
export const CONSUMER_LOST = CONSUMER_ATTACH + 8
export const CONSUMER_PART_BYTES = 2 * LINE_BYTES

// --- What the producer does about a consumer that has not read what it would overwrite.

/** It waits. */
export const POLICY_BLOCK = 1
/** It overwrites. */
export const POLICY_DROP_OLDEST = 2
/** It leaves that consumer out from then on. */
export const POLICY_DISCONNECT = 3

/** Consumers of one broadcast: the producer sleeps on two words for each, and on its own status. */
export const MAX_CONSUMERS = 63

// --- A broadcast's producer, in private memory.

/** 64 bits: messages committed. */
export const SENDER_INDEX = 0
export const SENDER_CAPACITY = 8
export const SENDER_SLOT_BYTES = 12
/** Addresses. */
export const SENDER_SLOTS = 16
export const SENDER_INDEX_WORD = 20
export const SENDER_STATUS_WORD = 24
export const SENDER_STAGING = 28
export const SENDER_OVERWRITES = 32
export const SENDER_CONSUMERS = 36
/**
 * The offset among SENDER_TARGETS of the consumer that is looked at: after a fault this tells whose pages they were.
 * SENDER_OWN: the producer's own.
 */
export const SENDER_LOOKING_AT = 40
export const SENDER_OWN = 0xffff_ffff
/** 1: the last push has published its message, and what remains is to wake. */
export const SENDER_PUBLISHED = 44
/** 64 bits, one for each consumer: those that sleep and must be woken. Whoever wakes them clears it. */
export const SENDER_TO_WAKE = 48
/** For each consumer, TARGET_ below. */
export const SENDER_TARGETS = LINE_BYTES

/** Addresses of the consumer's link, its part, and its status word. */
export const TARGET_LINK = 0
export const TARGET_PART = 4
export const TARGET_STATUS_WORD = 8
export const TARGET_POLICY = 12
/** TARGET_ states. */
export const TARGET_STATE = 16
/** What LINK_ACCEPTED and LINK_WAKE say. */
export const TARGET_ACCEPTED = 20
export const TARGET_WAKE = 28
/** The consumer's sleep number that it was last woken for. */
export const TARGET_WOKEN = 32
/** 1: at the last look it had not read the slot that was to be written. */
export const TARGET_OBSTRUCTS = 36
/** 64 bits: its read index as last loaded and accepted. */
export const TARGET_SEEN = 40
/** How often it was disconnected, and how often its index was impossible. */
export const TARGET_DISCONNECTED = 48
export const TARGET_MISBEHAVED = 52
/** Its read index as last loaded, whatever it was worth: the lower half, which the producer sleeps on. */
export const TARGET_LOADED = 56
export const TARGET_BYTES = 64
export const SENDER_BYTES = SENDER_TARGETS + MAX_CONSUMERS * TARGET_BYTES

/** Nobody takes part. */
export const TARGET_ABSENT = 0
export const TARGET_PRESENT = 1
/** Its pages are gone: never touched again. */
export const TARGET_EXCLUDED = 2

// --- A broadcast's consumer, in private memory.

/** 64 bits each: messages read or lost; messages received; messages lost. */
export const RECEIVER_INDEX = 0
export const RECEIVER_RECEIVED = 8
export const RECEIVER_LOST = 16
export const RECEIVER_CAPACITY = 24
export const RECEIVER_SLOT_BYTES = 28
/** Addresses. */
export const RECEIVER_SLOTS = 32
export const RECEIVER_WRITE_WORD = 36
export const RECEIVER_LINK = 40
export const RECEIVER_PART = 44
export const RECEIVER_STATUS_WORD = 48
export const RECEIVER_STAGING = 52
export const RECEIVER_POLICY = 56
/** This attach, by its CONSUMER_ATTACH. */
export const RECEIVER_ATTACH = 60
/** 1 since the producer has accepted it. */
export const RECEIVER_JOINED = 64
/** The producer's sleep number that it was last woken for. */
export const RECEIVER_WOKEN = 68
/** 64 bits: the write index that was refused. */
export const RECEIVER_REFUSED = 72
export const RECEIVER_BYTES = 128

/** The producer takes no more care of this attach. Apart from all RESULT_ numbers of ../words.ts. */
export const RESULT_DISCONNECTED = 64

// --- A ring with a policy: words that the header of a SharedRing leaves free in its line.

/** What its producer does when it is full: 0 wait, 1 fail, 2 drop. */
export const RING_POLICY_WORD = LINE_BYTES - 4
/** Messages dropped instead of being sent, since the ring was made; it wraps. Written by the producer when it drops. */
export const RING_DROPPED = LINE_BYTES - 8
