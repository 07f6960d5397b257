// seccomp.h: system call filters, seccomp(2).
#pragma once

#include <cstdint>
#include <vector>

#include "core/result.h"

namespace kaal {

// Holds when the low 32 bits of argument `index` (0 to 5), masked, are `value`. Every argument that is tested is an int
// to Linux or decides by bits that lie there.
struct ArgumentTest {
  unsigned index;
  std::uint32_t mask;
  std::uint32_t value;
};

constexpr int kAllow = 0;

// What happens to a system call for which all tests hold: it is allowed, or answered with an errno.
struct SyscallRule {
  long number;
  std::vector<ArgumentTest> tests = {};
  int answer = kAllow;
};

// From now on, for all threads of the process and whatever it executes, the first rule that fits decides, else
// `otherwise`. Final. EPERM: no_new_privs is not set. Only calls of this processor's own ABI pass: others have other
// numbers. Cost: a few ns for a call, next to nothing for one that is always allowed.
Status FilterSyscalls(const std::vector<SyscallRule>& rules, int otherwise);

}  // namespace kaal
