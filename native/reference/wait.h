// wait.h: how a consumer waits for a message, and what a producer does after publishing: spin, park, or wake always.
#pragma once

#include "core/futex.h"
#include "reference/cycles.h"
#include "reference/peer.h"
#include "reference/region.h"

namespace kaal::reference {

// May return early; who calls it checks the word again.
inline void Sleep(Word& word, std::uint32_t expected) {
  const FutexWord sleeping{reinterpret_cast<const std::uint32_t*>(&word), expected};
  if (const auto outcome = FutexWait(&sleeping, 1, kNever); !outcome) FailWith(outcome.error());
}

inline void Wake(Word& word) {
  if (const auto woken = FutexWake(reinterpret_cast<const std::uint32_t*>(&word), 1); !woken) FailWith(woken.error());
}

struct Spin {
  // A round trip is so short that a stamp for each would blur the median.
  static constexpr bool kShortTrips = true;
  bool pause;

  template <class Ring>
  void ForMessage(typename Ring::Consumer& consumer) const {
    while (!consumer.HasMessage()) Relax(pause);
  }

  template <class Ring>
  void Publish(typename Ring::Producer& producer) const {
    producer.Publish();
  }
};

// The consumer says when it sleeps, and only then is it woken. Never spins.
struct Park {
  static constexpr bool kShortTrips = false;

  template <class Ring>
  void ForMessage(typename Ring::Consumer& consumer) const {
    while (!consumer.HasMessage()) {
      // ORDER park: announce, then look again; the producer publishes, then looks for the announcement. In the one
      // order of all sequentially consistent operations, at least one of the two sees the other.
      consumer.sleeps().store(1, std::memory_order_seq_cst);
      const std::uint32_t signal = consumer.signal().load(std::memory_order_seq_cst);
      if (!consumer.Shows(signal)) Sleep(consumer.signal(), signal);
      // Seen late, it costs a needless system call and nothing else.
      consumer.sleeps().store(0, std::memory_order_relaxed);
    }
  }

  template <class Ring>
  void Publish(typename Ring::Producer& producer) const {
    Word& signal = producer.Publish();
    // ORDER park: publish, then look for the announcement; the consumer announces, then looks again.
    if constexpr (Ring::kOrder != std::memory_order_seq_cst) std::atomic_thread_fence(std::memory_order_seq_cst);
    if (producer.sleeps().load(std::memory_order_seq_cst) != 0) Wake(signal);
  }
};

// The plain futex pair: no announcement, a system call for every message.
struct WakeAlways {
  static constexpr bool kShortTrips = false;

  template <class Ring>
  void ForMessage(typename Ring::Consumer& consumer) const {
    while (!consumer.HasMessage()) {
      // The futex compares again, and HasMessage() is what orders the payload.
      const std::uint32_t signal = consumer.signal().load(std::memory_order_relaxed);
      if (!consumer.Shows(signal)) Sleep(consumer.signal(), signal);
    }
  }

  template <class Ring>
  void Publish(typename Ring::Producer& producer) const {
    Wake(producer.Publish());
  }
};

}  // namespace kaal::reference
