// words.ts: the shared-memory layout and the result codes: plain numbers, which AssemblyScript can import as well.
// Byte offsets unless said otherwise; every shared word is 32 bits and little-endian.

/** Hot words stand this far apart: two cache lines, because processors fetch lines in pairs. */
export const LINE_BYTES = 128
/** One cache line, of the smallest on a processor that V8 compiles for. */
export const CACHE_LINE_BYTES = 64

// --- Status words: written by the kernel only, one for each attached object; polled by every spin and every sleep.

export const STATUS_LIVE = 0
export const STATUS_PEER_GONE = 1
export const STATUS_REVOKED = 2
export const STATUS_KERNEL_GONE = 3
/** Never written by the kernel: what an end that was closed in its own process sees. */
export const STATUS_CLOSED = 4
/**
 * The kernel has gone, and its components go: what was sent can still be received, and nothing more is sent. So whoever
 * receives finds everything before its word turns to STATUS_KERNEL_GONE.
 */
export const STATUS_KERNEL_GOING = 5

// --- Sleep numbers: how an end sleeps, in the lowest two bits. The others tell one sleep from the next.

export const SLEEP_BITS = 3
/** On the words themselves: a futex wakes it. */
export const ASLEEP = 1
/** In its event loop: its bell wakes it, an eventfd. */
export const ASLEEP_IN_LOOP = 3

// --- SharedRing, producer part: only the producer writes it (the header: only the creator, once).

/** "KRNG". Published last, by the creator; validated on attach and never read again. */
export const RING_MAGIC = 0x474e524b
/** Stands in the magic's place while the creator is at work. */
export const RING_CREATING = 0x57454e4b
export const RING_LAYOUT_VERSION = 2

export const RING_MAGIC_WORD = 0
export const RING_VERSION_WORD = 4
/** Slots; of a ring of records, bytes. */
export const RING_CAPACITY_WORD = 8
export const RING_SLOT_BYTES_WORD = 12
export const RING_STRIDE_WORD = 16
export const RING_FORM_WORD = 20
/** What says how far the producer is: its index word, */
export const FORM_INDEX = 0
/** or a sequence word in front of each slot's payload: index + 1 of the message that is there. */
export const FORM_SLOT = 1
/** A ring of records: its capacity is in bytes, its slotBytes what one record may have, and its stride 1. */
export const FORM_RECORD = 2
/** Bytes in front of a slot's payload: the sequence word, and padding that keeps the payload aligned. */
export const SLOT_HEAD_BYTES = 8
/** Free-running count of slots committed. With sequence words nobody polls it: it is for a producer that takes over. */
export const RING_WRITE_INDEX = LINE_BYTES
/**
 * The producer's sleep number: odd while it sleeps or is about to, with bit 1 while it does so in its event loop. Rarely
 * written, so the peer's load hits its cache.
 */
export const RING_PRODUCER_SLEEP = 2 * LINE_BYTES
/** 1 once the producer has closed its end. */
export const RING_PRODUCER_CLOSED = RING_PRODUCER_SLEEP + 4
export const RING_SLOTS = 3 * LINE_BYTES

// --- SharedRing, consumer part: only the consumer writes it. In the one-frame form it follows the slots.

/** Free-running count of slots given back: by quarters of the ring, and before the consumer sleeps. */
export const RING_READ_INDEX = 0
/** The consumer's sleep number. */
export const RING_CONSUMER_SLEEP = LINE_BYTES
/** 1 once the consumer has closed its end. */
export const RING_CONSUMER_CLOSED = RING_CONSUMER_SLEEP + 4
/**
 * For a consumer that takes over: the count of slots released, exact. On a line that nobody else touches, so that its
 * store is a plain one: who reads it does so after its writer's death, or in the writer's own thread.
 */
export const RING_READ_PROGRESS = 2 * LINE_BYTES
/** The count of slots handed out, at least the progress. What lies between the two was being read. */
export const RING_READ_HANDED = RING_READ_PROGRESS + 4
export const RING_CONSUMER_PART_BYTES = 3 * LINE_BYTES

// --- A record: a head of 8 bytes, the payload, and padding to a multiple of 8. It never runs over the ring's end.

export const RECORD_HEAD_BYTES = 8
export const RECORD_ALIGN = 8
/** In the head's first word, instead of the payload's length: skip so many bytes, to the ring's end. */
export const RECORD_PADDING = 0x8000_0000

// --- Notification, the kernel's part: who waits reads it, and only the daemon writes it.

export const MAX_LANES = 16
/** Bit set: the lanes that have, or have had, a holder. It only grows. */
export const NOTIFICATION_IN_USE = 0
/** The bits that each lane may carry, 64 bits each. */
export const NOTIFICATION_BADGES = LINE_BYTES
export const NOTIFICATION_BYTES = NOTIFICATION_BADGES + MAX_LANES * 8

// --- Notification, a lane: 64 bits that only its signaller writes and only the waiter reads.

export const LANE_BYTES = 8

// --- Notification, the acknowledgement of one lane: only the waiter writes it, and only that lane's signaller reads it.

/** The lane as it was when its bits were last taken, 64 bits. */
export const ACK_VALUE = 0
/** The waiter's sleep number. On a line of its own: rarely written, so the signaller's load hits its cache. */
export const ACK_SLEEP = 64
export const ACK_BYTES = 128

// --- An end of a ring, in its process's private memory: what the hot code needs, at hand and out of the peer's reach.

/** 64 bits: this end's index. The low half is what the peer sees; all of it counts messages. */
export const END_INDEX = 0
/** The peer's index as last loaded and accepted; where slots have sequence words, the consumer's last seen one. */
export const END_PEER_INDEX = 8
export const END_CAPACITY = 12
export const END_SLOT_BYTES = 16
export const END_STRIDE = 20
/** Addresses from here to END_STAGING. The first slot's payload. */
export const END_SLOTS = 24
export const END_INDEX_WORD = 28
export const END_PEER_INDEX_WORD = 32
export const END_PEER_SLEEP_WORD = 36
export const END_PEER_CLOSED_WORD = 40
export const END_STATUS_WORD = 44
/** The consumer's RING_READ_PROGRESS. */
export const END_PROGRESS_WORD = 48
/** The word that this end's last publish changed, on which its peer sleeps. */
export const END_WAKE_WORD = 52
export const END_STAGING = 56
/** The peer's sleep number that it was last woken for. */
export const END_WOKEN = 60
/** The peer's word that was refused; tells what RESULT_MISBEHAVED found. */
export const END_REFUSED = 64
/** A FORM_ number. */
export const END_FORM = 68
/** The consumer's index as it stands in RING_READ_INDEX. */
export const END_RELEASED = 72
/** How many slots the consumer reads before it gives them back. */
export const END_RELEASE_AFTER = 76
/** How many messages the last peekMany or popMany found. */
export const END_COUNT = 80
/** Of a ring of records: the room at END_STAGING, and the bytes from this end's index to the record that was found. */
export const END_STAGING_BYTES = 84
export const END_RECORD_AT = 88
/** A word of no meaning: see pause() of the hot code. */
export const END_PAUSE = 92
/** Slots of a group, a power of two: a producer asks for the next group's lines together. 0: it asks for none. */
export const END_AHEAD = 96
/** Bytes from the group's start that are asked for. */
export const END_AHEAD_BYTES = 100
export const END_BYTES = 128

// --- A signaller, in private memory.

/** 64 bits: the lane's value. */
export const SIGNALLER_VALUE = 0
/** Addresses. */
export const SIGNALLER_LANE = 8
export const SIGNALLER_ACK = 12
export const SIGNALLER_SLEEP_WORD = 16
/** The waiter's sleep number that it was last woken for. */
export const SIGNALLER_WOKEN = 20
export const SIGNALLER_BYTES = 64

// --- A waiter, in private memory.

/** 64 bits: the pending bits that `take` found. */
export const WAITER_TAKEN = 0
/** Addresses. */
export const WAITER_STATUS_WORD = 8
export const WAITER_KERNEL_PART = 12
/** 64 bits: a lane as it was after its acknowledgement. */
export const WAITER_SEEN = 16
/** NOTIFICATION_IN_USE as last seen. */
export const WAITER_IN_USE = 24
/** Addresses of the lanes, 32 bits each. */
export const WAITER_LANES = 64
/** Addresses of their acknowledgements, 32 bits each. */
export const WAITER_ACKS = WAITER_LANES + MAX_LANES * 4
/** The acknowledgements as last stored, 64 bits each. */
export const WAITER_ACKED = WAITER_ACKS + MAX_LANES * 4
export const WAITER_BYTES = WAITER_ACKED + MAX_LANES * 8

// --- Results of the hot code. Where it returns a slot's address instead, that is larger than any of these.

/** Full, empty, nothing pending. */
export const RESULT_NONE = 0
export const RESULT_DONE = 1
/** Done, and the peer sleeps: wake it. */
export const RESULT_DONE_WAKE = 2
/** The status word says that this end's object is no longer live. */
export const RESULT_STOPPED = 3
/** The peer's index is impossible; END_REFUSED holds it. */
export const RESULT_MISBEHAVED = 4
/** The peer has closed its end, and nothing is left. */
export const RESULT_CLOSED = 5
/** Empty, and the peer sleeps until it sees what was given back just now: wake it. */
export const RESULT_NONE_WAKE = 6
/** A record is longer than END_STAGING_BYTES. */
export const RESULT_LONG = 7
/** A record's head is impossible; END_REFUSED holds it. */
export const RESULT_BAD_RECORD = 8
export const RESULT_LAST = 8
