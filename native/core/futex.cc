// futex.cc: futex(2) and futex_waitv(2), never with the private flag: private futexes do not match across processes.
#include "core/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace kaal {

namespace {

// Declared here because the headers of some supported distributions are older than Linux 5.16. Same on all processors.
constexpr long kSysFutexWaitv = 449;
constexpr std::uint32_t kFutex32 = 2;
struct WaitvEntry {
  std::uint64_t expected;
  std::uint64_t place;
  std::uint32_t flags;
  std::uint32_t reserved;
};

// The bitset form, because its timeout is absolute as futex_waitv's is.
long WaitOne(const FutexWord& word, const timespec* deadline) {
  return syscall(SYS_futex, word.place, FUTEX_WAIT_BITSET, word.expected, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
}

long WaitSeveral(const FutexWord* words, std::size_t count, const timespec* deadline) {
  WaitvEntry entries[kMaxFutexWords];
  for (std::size_t i = 0; i < count; ++i) {
    entries[i] = {words[i].expected, reinterpret_cast<std::uintptr_t>(words[i].place), kFutex32, 0};
  }
  return syscall(kSysFutexWaitv, entries, static_cast<unsigned>(count), 0u, deadline, CLOCK_MONOTONIC);
}

}  // namespace

Result<FutexOutcome> FutexWait(const FutexWord* words, std::size_t count, TimeNs deadline) {
  const timespec at = ToTimespec(deadline);
  const timespec* const timeout = deadline == kNever ? nullptr : &at;
  const long woken = count == 1 ? WaitOne(words[0], timeout) : WaitSeveral(words, count, timeout);
  if (woken >= 0 || errno == EAGAIN) return FutexOutcome::kWoken;
  if (errno == ETIMEDOUT) return FutexOutcome::kTimedOut;
  if (errno == EINTR) return FutexOutcome::kInterrupted;
  return OsError{errno, count == 1 ? "futex" : "futex_waitv"};
}

Result<int> FutexWake(const std::uint32_t* word, int count) {
  const long woken = syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0);
  if (woken < 0) return OsError{errno, "futex"};
  return static_cast<int>(woken);
}

}  // namespace kaal
