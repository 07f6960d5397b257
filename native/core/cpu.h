// cpu.h: which processors the calling thread may run on.
#pragma once

#include <vector>

#include "core/result.h"

namespace kaal {

constexpr int kMaxCpus = 8192;

// In ascending order.
Result<std::vector<int>> Affinity();

// `cpus` holds at least one number from 0 to kMaxCpus - 1.
Status SetAffinity(const std::vector<int>& cpus);

}  // namespace kaal
