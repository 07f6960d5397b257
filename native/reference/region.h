// region.h: the memory that both processes share: one memfd, handed out piece by piece before the fork.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

namespace kaal::reference {

// Two cache lines: a processor that fetches lines in pairs must not couple neighbours.
constexpr std::size_t kLineBytes = 128;

using Word = std::atomic<std::uint32_t>;
static_assert(Word::is_always_lock_free && sizeof(Word) == 4, "a futex word is 32 bits");

// A word that shares its line with nothing.
struct alignas(kLineBytes) Line {
  Word word{0};
};

class Region {
 public:
  // Maps a new memfd of `bytes`, all of it present and zero. Ends the process with status 1 when Linux refuses.
  explicit Region(std::size_t bytes);
  ~Region();
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  // The next `bytes`, on a line of their own.
  std::byte* Take(std::size_t bytes);

  template <class T>
  T* Make() {
    static_assert(alignof(T) <= kLineBytes);
    return new (Take(sizeof(T))) T();
  }

  // After the fork: fetches every page now, so that no page fault falls into a measurement.
  void Touch() const;

 private:
  std::byte* start_;
  std::size_t bytes_;
  std::size_t taken_ = 0;
};

}  // namespace kaal::reference
