// histogram.h: counts of times in steps of an eighth of an octave, which a log axis can show as they are.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace kaal::reference {

class Histogram {
 public:
  // Bucket b counts times from 2^(b/8) up to 2^((b+1)/8) ns; the last one whatever is longer.
  void Add(double ns) {
    const double bucket = std::floor(std::log2(std::max(ns, 1.0)) * kBucketsInOctave);
    counts_[std::min(static_cast<std::size_t>(bucket), kBuckets - 1)]++;
  }

  const auto& counts() const { return counts_; }

 private:
  static constexpr double kBucketsInOctave = 8;
  // Up to a minute.
  static constexpr std::size_t kBuckets = 36 * 8;
  std::array<std::uint32_t, kBuckets> counts_{};
};

}  // namespace kaal::reference
