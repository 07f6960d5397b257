// tsc.h: the processor's time stamp counter, the clock for measuring in cycles.
#pragma once

#include <cstdint>

namespace kaal {

// Read after all earlier loads have completed.
inline std::uint64_t ReadTsc() {
#if defined(__x86_64__)
  std::uint32_t low, high;
  // The fence holds rdtsc back; rdtscp would not hold back what follows it either, and some processors lack it.
  asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (static_cast<std::uint64_t>(high) << 32) | low;
#elif defined(__aarch64__)
  std::uint64_t ticks;
  asm volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks) : : "memory");
  return ticks;
#else
#error "tsc.h: add the counter of this processor"
#endif
}

struct TscInfo {
  bool constant;  // same rate at all times, in idle states too
  double hz;      // 0 when not constant
};

// Takes about 20 ms the first time in a process.
TscInfo GetTscInfo();

}  // namespace kaal
