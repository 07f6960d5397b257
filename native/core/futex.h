// futex.h: sleeping on words of shared memory until another process changes them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/clock.h"
#include "core/result.h"

namespace kaal {

constexpr std::size_t kMaxFutexWords = 128;  // futex_waitv(2)

struct FutexWord {
  const std::uint32_t* place;
  std::uint32_t expected;
};

// The numbers are the binding's.
enum class FutexOutcome { kWoken = 0, kTimedOut = 1, kInterrupted = 2 };

// Sleeps while every word holds its expected value. `count` is 1 to kMaxFutexWords.
// A word that has changed already counts as woken. ENOSYS: several words on a kernel before 5.16.
Result<FutexOutcome> FutexWait(const FutexWord* words, std::size_t count, TimeNs deadline);

// Wakes at most `count` sleepers, at least 1 (Linux takes 0 for 1); returns how many.
Result<int> FutexWake(const std::uint32_t* word, int count);

}  // namespace kaal
