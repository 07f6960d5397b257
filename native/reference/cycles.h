// cycles.h: what is computed from stamps of the cycle counter, and the turn of a spin loop.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/tsc.h"

namespace kaal::reference {

// One turn of a spin loop.
inline void Relax(bool pause) {
  if (!pause) return;
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// Mean cost of one ReadTsc(), in cycles.
double StampCost();

// The element below which a share of `quantile` (0 to 1) of all lies: nearest rank. Reorders `values`, not empty.
template <class T>
T Quantile(std::vector<T>& values, double quantile) {
  const auto rank = static_cast<std::size_t>(quantile * static_cast<double>(values.size()));
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(std::min(rank, values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

}  // namespace kaal::reference
