// tsc.cc: what the time stamp counter is worth, and its rate against the clock.
#include "core/tsc.h"

#include <fstream>
#include <sstream>
#include <string>

#include "core/clock.h"

namespace kaal {

namespace {

constexpr TimeNs kMeasureNs = 20'000'000;

#if defined(__x86_64__)

bool IsConstant() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line) && line.rfind("flags", 0) != 0) {
  }
  bool constant = false;
  bool nonstop = false;
  std::istringstream flags(line);
  for (std::string flag; flags >> flag;) {
    constant |= flag == "constant_tsc";
    nonstop |= flag == "nonstop_tsc";
  }
  return constant && nonstop;
}

#else

// The generic timer of the ARM architecture runs at one rate by definition.
bool IsConstant() { return true; }

#endif

struct Instant {
  std::uint64_t ticks;
  TimeNs ns;
};

// The counter between two clock readings; of several tries the tightest, since a pre-emption in between spoils one.
Instant ReadBoth() {
  Instant best{};
  TimeNs best_width = UINT64_MAX;
  for (int attempt = 0; attempt < 16; ++attempt) {
    const TimeNs before = NowNs(CLOCK_MONOTONIC_RAW);
    const std::uint64_t ticks = ReadTsc();
    const TimeNs width = NowNs(CLOCK_MONOTONIC_RAW) - before;
    if (width < best_width) {
      best_width = width;
      best = {ticks, before + width / 2};
    }
  }
  return best;
}

TscInfo Measure() {
  if (!IsConstant()) return {false, 0};
  const Instant start = ReadBoth();
  while (NowNs(CLOCK_MONOTONIC_RAW) - start.ns < kMeasureNs) {
  }
  const Instant end = ReadBoth();
  return {true, static_cast<double>(end.ticks - start.ticks) * 1e9 / static_cast<double>(end.ns - start.ns)};
}

}  // namespace

TscInfo GetTscInfo() {
  static const TscInfo info = Measure();
  return info;
}

}  // namespace kaal
