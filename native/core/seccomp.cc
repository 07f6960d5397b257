// seccomp.cc: rules as a classic BPF program.
#include "core/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace kaal {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kOwnArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kOwnArchitecture = AUDIT_ARCH_AARCH64;
#endif

// On x86-64 the x32 ABI has the same architecture and this bit in the number.
constexpr std::uint32_t kForeignNumbers = 0x40000000;

constexpr std::uint32_t kNumberOffset = offsetof(seccomp_data, nr);

// Both processors are little endian: the low half of an argument comes first.
std::uint32_t ArgumentOffset(unsigned index) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
}

class Program {
 public:
  void Load(std::uint32_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void Mask(std::uint32_t mask) { Add(BPF_ALU | BPF_AND | BPF_K, mask); }
  // Each skips so many instructions when its condition does not hold.
  void UnlessEqualSkip(std::uint32_t value, std::size_t count) { Jump(BPF_JEQ, value, 0, count); }
  void UnlessAtLeastSkip(std::uint32_t value, std::size_t count) { Jump(BPF_JGE, value, 0, count); }
  void IfEqualSkip(std::uint32_t value, std::size_t count) { Jump(BPF_JEQ, value, count, 0); }
  void Answer(int answer) {
    const std::uint32_t error = SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(answer);
    Add(BPF_RET | BPF_K, answer == kAllow ? SECCOMP_RET_ALLOW : error);
  }

  sock_fprog Finished() { return {static_cast<unsigned short>(code_.size()), code_.data()}; }

 private:
  void Add(std::uint16_t code, std::uint32_t value) { code_.push_back({code, 0, 0, value}); }
  void Jump(std::uint16_t kind, std::uint32_t value, std::size_t if_true, std::size_t if_false) {
    code_.push_back({static_cast<std::uint16_t>(BPF_JMP | kind | BPF_K), static_cast<std::uint8_t>(if_true),
                     static_cast<std::uint8_t>(if_false), value});
  }

  std::vector<sock_filter> code_;
};

constexpr std::size_t kInstructionsOfTest = 3;

void AddRule(Program& program, const SyscallRule& rule) {
  // What follows a comparison that fails: the rest of this rule is skipped.
  std::size_t rest = rule.tests.size() * kInstructionsOfTest + 1;
  program.Load(kNumberOffset);
  program.UnlessEqualSkip(static_cast<std::uint32_t>(rule.number), rest);
  for (const ArgumentTest& test : rule.tests) {
    rest -= kInstructionsOfTest;
    program.Load(ArgumentOffset(test.index));
    program.Mask(test.mask);
    program.UnlessEqualSkip(test.value, rest);
  }
  program.Answer(rule.answer);
}

}  // namespace

Status FilterSyscalls(const std::vector<SyscallRule>& rules, int otherwise) {
  Program program;
  program.Load(offsetof(seccomp_data, arch));
  program.IfEqualSkip(kOwnArchitecture, 1);
  program.Answer(ENOSYS);
  program.Load(kNumberOffset);
  program.UnlessAtLeastSkip(kForeignNumbers, 1);
  program.Answer(ENOSYS);
  for (const SyscallRule& rule : rules) AddRule(program, rule);
  program.Answer(otherwise);

  sock_fprog finished = program.Finished();
  // TSYNC: the process has threads. SPEC_ALLOW: a filter must not slow memory accesses down; a component shares its
  // process with nobody it could spy on.
  const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &finished);
  if (result == 0) return Ok{};
  // Positive: the thread that has a filter of its own already.
  return OsError{result < 0 ? errno : EBUSY, "seccomp"};
}

}  // namespace kaal
