// cpu.cc: sched_setaffinity(2) with sets large enough for any kernel configuration.
#include "core/cpu.h"

#include <sched.h>

#include <cerrno>

namespace kaal {

namespace {

// A cpu_set_t holds 1,024 processors; on larger machines the kernel refuses to fill a smaller set.
constexpr int kSets = kMaxCpus / CPU_SETSIZE;

}  // namespace

Result<std::vector<int>> Affinity() {
  cpu_set_t sets[kSets] = {};
  if (sched_getaffinity(0, sizeof(sets), sets) != 0) return OsError{errno, "sched_getaffinity"};
  std::vector<int> cpus;
  for (int cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (CPU_ISSET_S(cpu, sizeof(sets), sets)) cpus.push_back(cpu);
  }
  return cpus;
}

Status SetAffinity(const std::vector<int>& cpus) {
  cpu_set_t sets[kSets] = {};
  for (int cpu : cpus) CPU_SET_S(cpu, sizeof(sets), sets);
  if (sched_setaffinity(0, sizeof(sets), sets) != 0) return OsError{errno, "sched_setaffinity"};
  return Ok{};
}

}  // namespace kaal
