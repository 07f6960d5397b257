// broadcast-mutants.ts: faults of a broadcast that the explorer must find.

import type { Mutant } from "./mutants.ts"

const sender = "src/ring/wasm/broadcast-producer.ts"
const receiver = "src/ring/wasm/broadcast-consumer.ts"
const broadcastProducer = "src/ring/shapes/broadcast-producer.ts"
const broadcastConsumer = "src/ring/shapes/broadcast-consumer.ts"

export const BROADCAST_MUTANTS: readonly Mutant[] = [
  {
    path: sender,
    from: "atomic.store<u32>(link, load<u32>(target, TARGET_ACCEPTED), LINK_ENDED)",
    to: "store<u32>(link, load<u32>(target, TARGET_ACCEPTED), LINK_ENDED)",
    what: "the end of an attach stored plainly",
  },
  {
    path: sender,
    from: "    store<u32>(target, load<u32>(target, TARGET_DISCONNECTED) + 1, TARGET_DISCONNECTED)\n    end(target)\n",
    to: "    store<u32>(target, TARGET_ABSENT, TARGET_STATE)\n",
    what: "overtakes a consumer and does not tell it",
  },
  {
    path: sender,
    from: "  atomic.store<u64>(link, index, LINK_START)\n",
    to: "  atomic.store<u32>(link, attach, LINK_ACCEPTED)\n  atomic.store<u64>(link, index, LINK_START)\n",
    what: "accepts an attach before it says from which message on",
  },
  {
    path: sender,
    from: "atomic.store<u64>(link, index, LINK_START)",
    to: "store<u64>(link, index, LINK_START)",
    what: "the first message for an attach stored plainly, before the attach is accepted",
    equivalent: "the store of the acceptance orders it: whoever loads it has seen that",
  },
  {
    path: sender,
    from: "atomic.store<u32>(link, attach, LINK_ACCEPTED)",
    to: "store<u32>(link, attach, LINK_ACCEPTED)",
    what: "the acceptance of an attach stored plainly",
  },
  {
    path: sender,
    from: "const peer = atomic.load<u64>(load<u32>(target, TARGET_PART), CONSUMER_READ_INDEX)",
    to: "const peer = load<u64>(load<u32>(target, TARGET_PART), CONSUMER_READ_INDEX)",
    what: "a consumer's readIndex loaded plainly",
  },
  {
    path: sender,
    from: "return index - peer >= capacity",
    to: "return index - peer > capacity",
    what: "overwrites what a consumer has not read, by what was loaded",
  },
  {
    path: sender,
    from: "return index - load<u64>(target, TARGET_SEEN) >= capacity",
    to: "return index - load<u64>(target, TARGET_SEEN) > capacity",
    what: "overwrites what a consumer has not read, by what was seen",
  },
  {
    path: sender,
    from: "if (peer - seen <= index - seen)",
    to: "if (peer - seen < index - seen)",
    what: "takes a consumer that has read all for one that lies",
  },
  {
    path: sender,
    from: "if (load<u32>(target, TARGET_POLICY) == POLICY_BLOCK) waits = true",
    to: "if (load<u32>(target, TARGET_POLICY) == POLICY_BLOCK) disconnects = true",
    what: "disconnects whom it must wait for",
  },
  {
    path: sender,
    from: "for (let at: u32 = 0; at < count; at++)",
    to: "for (let at: u32 = 0; at < 1; at++)",
    what: "wakes the first consumer only",
  },
  {
    path: sender,
    from: "    atomic.store<u32>(load<u32>(target, TARGET_LINK), wake, LINK_WAKE)\n",
    to: "",
    what: "wakes a consumer without changing the word that it sleeps on",
  },
  {
    path: sender,
    from: "atomic.store<u32>(load<u32>(target, TARGET_LINK), wake, LINK_WAKE)",
    to: "store<u32>(load<u32>(target, TARGET_LINK), wake, LINK_WAKE)",
    what: "the wake word stored plainly",
  },
  {
    path: sender,
    from: "      publish(sender)\n      return broadcastWake(sender)",
    to: "      const woken = broadcastWake(sender)\n      publish(sender)\n      return woken",
    what: "looks for sleepers before it publishes",
  },
  {
    path: sender,
    from: "    atomic.store<u64>(slot, 2 * index + 1)\n",
    to: "",
    what: "a slot is not marked while it is overwritten",
  },
  {
    path: sender,
    from: "    copyOut(slot + SLOT_SEQUENCE_BYTES, staging, bytes)\n    atomic.store<u64>(slot, 2 * index + 2)",
    to: "    atomic.store<u64>(slot, 2 * index + 2)\n    copyOut(slot + SLOT_SEQUENCE_BYTES, staging, bytes)",
    what: "a slot is marked whole before it is",
    equivalent:
      "who reads the message that was there is refused from the odd number on; the new one is read by nobody before the index is published",
  },
  {
    path: sender,
    from: "copyOut(slot + SLOT_SEQUENCE_BYTES, staging, bytes)",
    to: "copy(slot + SLOT_SEQUENCE_BYTES, staging, bytes)",
    what: "overwrites by plain words",
  },
  {
    path: sender,
    from: "  // ORDER broadcast-publish: the slot was written before; consumers load this index before they read it.\n  atomic.store<u64>(load<u32>(sender, SENDER_INDEX_WORD), index + 1)",
    to: "  store<u64>(load<u32>(sender, SENDER_INDEX_WORD), index + 1)",
    what: "a broadcast's writeIndex stored plainly",
  },
  {
    path: sender,
    from: "  const staging = load<u32>(sender, SENDER_STAGING)\n",
    to: "  const staging = load<u32>(sender, SENDER_STAGING)\n  atomic.store<u64>(load<u32>(sender, SENDER_INDEX_WORD), index + 1)\n",
    what: "publishes before the slot is written",
  },
  {
    path: sender,
    from: "  if (peer - seen <= index - seen) {\n    store<u64>(target, peer, TARGET_SEEN)\n",
    to: "  if (peer - seen <= index - seen) {\n",
    what: "does not remember how far a consumer has read",
    equivalent: "it looks again each time",
  },
  {
    path: receiver,
    from: "  if (atomic.load<u64>(slot) != whole) return false\n",
    to: "",
    what: "the sequence is not looked at before the slot is read",
    equivalent:
      "the message was published before, so the slot holds it or a later one, and then the second look refuses it: the first saves a copy",
  },
  {
    path: receiver,
    from: "return atomic.load<u64>(slot) == whole",
    to: "return true",
    what: "the sequence is not looked at again after the slot was read",
  },
  {
    path: receiver,
    from: "return atomic.load<u64>(slot) == whole",
    to: "return load<u64>(slot) == whole",
    what: "the sequence looked at again by a plain load",
  },
  {
    path: receiver,
    from: "copyIn(load<u32>(receiver, RECEIVER_STAGING), slot",
    to: "copy(load<u32>(receiver, RECEIVER_STAGING), slot",
    what: "reads by plain words what may be overwritten",
  },
  {
    path: receiver,
    from: "lost += write - capacity - index\n      index = write - capacity",
    to: "lost += write - capacity + 1 - index\n      index = write - capacity + 1",
    what: "gives up a message that is still there",
  },
  {
    path: receiver,
    from: "lost += write - capacity - index",
    to: "lost += write - capacity - index + 1",
    what: "counts one lost too many",
  },
  {
    path: receiver,
    from: "    lost++\n    index++\n  }",
    to: "    index++\n  }",
    what: "does not count the message that was overwritten while it was read",
  },
  {
    path: receiver,
    from: "if (<i64>(now - index) < <i64>capacity) return misbehaved(receiver, now)",
    to: "if (<i64>(now - index) <= <i64>capacity) return misbehaved(receiver, now)",
    what: "takes being overtaken for misbehaviour",
  },
  {
    path: receiver,
    from: "const impossible = write - index > load<u32>(receiver, RECEIVER_CAPACITY)",
    to: "const impossible = write - index >= load<u32>(receiver, RECEIVER_CAPACITY)",
    what: "takes a full broadcast for misbehaviour",
  },
  {
    path: receiver,
    from: "return isEnded(receiver) ? RESULT_DISCONNECTED : misbehaved(receiver, write)\n  }\n  received",
    to: "return misbehaved(receiver, write)\n  }\n  received",
    what: "is not told that it was disconnected while it read",
  },
  {
    path: receiver,
    from: "  // ORDER broadcast-release: reads of the slot come before this store, which isOverdue() loads before it is written again.\n  atomic.store<u64>(",
    to: "  store<u64>(",
    what: "a broadcast consumer's readIndex stored plainly",
  },
  {
    path: receiver,
    from: "  const impossible =",
    to: "  atomic.store<u64>(load<u32>(receiver, RECEIVER_PART), index + 1, CONSUMER_READ_INDEX)\n  const impossible =",
    what: "gives a slot back before it is read",
  },
  {
    path: receiver,
    from: "? RESULT_DONE_WAKE : RESULT_DONE",
    to: "? RESULT_DONE : RESULT_DONE",
    what: "gives a slot back and wakes nobody",
  },
  {
    path: receiver,
    from: "if (atomic.load<u32>(link, LINK_ACCEPTED) != load<u32>(receiver, RECEIVER_ATTACH)) return false\n  const start = atomic.load<u64>(link, LINK_START)",
    to: "const start = atomic.load<u64>(link, LINK_START)\n  if (atomic.load<u32>(link, LINK_ACCEPTED) != load<u32>(receiver, RECEIVER_ATTACH)) return false",
    what: "loads its first message's number before it knows that it was accepted",
  },
  {
    path: broadcastProducer,
    from: "        wakeSleeper(this.#target(at, TARGET_WOKEN), word, this.#targets[at]?.bell)\n",
    to: "",
    what: "a broadcast is published and nobody woken",
  },
  {
    path: broadcastProducer,
    from: "sleepOn(this.#target(consumer, TARGET_PART) + CONSUMER_READ_INDEX, this.#target(consumer, TARGET_LOADED))",
    to: "const word = this.#target(consumer, TARGET_PART) + CONSUMER_READ_INDEX\n      sleepOn(word, this.#vspace.loadWord(word))",
    what: "a broadcast's producer sleeps on the word as it is, not as it was seen",
  },
  {
    path: broadcastConsumer,
    from: "words[at + 1] = this.#wakeSeen",
    to: "words[at + 1] = this.#vspace.loadWord(this.#link + LINK_WAKE)",
    what: "a broadcast's consumer sleeps on the wake word as it is, not as it was before it announced its sleep",
  },
  {
    path: broadcastConsumer,
    from: "      wakeSleeper(woken, this.#part + CONSUMER_READ_INDEX, this.#options.bell)\n",
    to: "",
    what: "a broadcast's consumer gives a slot back and calls nobody",
  },
]
