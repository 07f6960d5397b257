// clock.h: points in time as nanoseconds of CLOCK_MONOTONIC, and deadlines made of them.
#pragma once

#include <cstdint>
#include <ctime>

namespace kaal {

using TimeNs = std::uint64_t;

// A deadline that never passes.
constexpr TimeNs kNever = UINT64_MAX;

inline TimeNs NowNs(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<TimeNs>(now.tv_sec) * 1'000'000'000u + static_cast<TimeNs>(now.tv_nsec);
}

// `ns` from now. Beyond a century it is kNever, which also covers infinity; below zero it is now.
inline TimeNs DeadlineAfter(double ns) {
  constexpr double kCenturyNs = 3.2e18;
  if (ns >= kCenturyNs) return kNever;
  return NowNs() + (ns > 0 ? static_cast<TimeNs>(ns) : 0);
}

inline TimeNs RemainingNs(TimeNs deadline) {
  const TimeNs now = NowNs();
  return deadline > now ? deadline - now : 0;
}

inline timespec ToTimespec(TimeNs ns) {
  return {static_cast<time_t>(ns / 1'000'000'000u), static_cast<long>(ns % 1'000'000'000u)};
}

}  // namespace kaal
