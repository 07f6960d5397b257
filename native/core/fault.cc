// fault.cc: a SIGSEGV and SIGBUS handler that notes and passes on. What runs in it is async-signal-safe.
#include "core/fault.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "core/vspace.h"

namespace kaal {

namespace {

constexpr std::size_t kRecords = 64;

// The record page. Several threads may fault at once, so each takes the record of its sequence number.
struct FaultPage {
  std::atomic<std::uint32_t> last_sequence;
  std::uint32_t reserved;
  Fault records[kRecords];
};
static_assert(sizeof(FaultPage) <= 4096, "fits in a page");

std::atomic<FaultPage*> page{nullptr};
struct sigaction previous_segv;
struct sigaction previous_bus;

std::uint32_t ThreadId() { return static_cast<std::uint32_t>(syscall(SYS_gettid)); }

#if defined(__x86_64__)

std::uintptr_t InstructionPointer(const ucontext_t* context) {
  return static_cast<std::uintptr_t>(context->uc_mcontext.gregs[REG_RIP]);
}

bool WasWrite(const ucontext_t* context) {
  return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;  // page-fault error code, bit 1
}

#elif defined(__aarch64__)

std::uintptr_t InstructionPointer(const ucontext_t* context) { return context->uc_mcontext.pc; }

// The kernel puts the syndrome register into a tagged list of extra records; bit 6 is "write, not read".
bool WasWrite(const ucontext_t* context) {
  constexpr std::uint32_t kEsrMagic = 0x45535201;
  const unsigned char* place = context->uc_mcontext.__reserved;
  const unsigned char* const end = place + sizeof(context->uc_mcontext.__reserved);
  while (place + 16 <= end) {
    std::uint32_t head[2];  // magic, size
    std::memcpy(head, place, sizeof(head));
    if (head[0] == 0 || head[1] < sizeof(head)) return false;
    if (head[0] == kEsrMagic) {
      std::uint64_t syndrome;
      std::memcpy(&syndrome, place + sizeof(head), sizeof(syndrome));
      return (syndrome & (1u << 6)) != 0;
    }
    place += head[1];
  }
  return false;
}

#else
#error "fault.cc: add InstructionPointer and WasWrite for this processor"
#endif

Fault* NoteFault(const siginfo_t* info, const ucontext_t* context) {
  FaultPage* const target = page.load();
  const std::uint32_t sequence = target->last_sequence.fetch_add(1) + 1;
  Fault* const record = &target->records[sequence % kRecords];
  *record = {AddressOf(info->si_addr), WasWrite(context) ? 1u : 0u, ThreadId(), 0, sequence};
  return record;
}

void CallPrevious(int signal, siginfo_t* info, void* context) {
  const struct sigaction& previous = signal == SIGSEGV ? previous_segv : previous_bus;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // The faulting instruction runs again and the process dies of it. A signal that somebody sent has no such
    // instruction, so it is sent again.
    struct sigaction fallback {};
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
    if (info->si_code <= 0) raise(signal);
  }
}

void OnFault(int signal, siginfo_t* info, void* raw_context) {
  const int saved_errno = errno;
  const ucontext_t* const context = static_cast<const ucontext_t*>(raw_context);
  const bool sent_by_a_process = info->si_code <= 0;
  if (sent_by_a_process) {
    CallPrevious(signal, info, raw_context);
  } else {
    Fault* const record = NoteFault(info, context);
    const std::uintptr_t before = InstructionPointer(context);
    CallPrevious(signal, info, raw_context);
    // V8 turns a fault into a trap by continuing at a landing pad.
    if (InstructionPointer(context) != before) record->trapped = 1;
  }
  errno = saved_errno;
}

Status Install(int signal, struct sigaction* previous) {
  struct sigaction action {};
  action.sa_sigaction = OnFault;
  // Not SA_NODEFER: a fault inside the handler must kill, not recurse.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  // Noted before it is replaced: the handler may run at once.
  if (sigaction(signal, nullptr, previous) != 0) return OsError{errno, "sigaction"};
  if (sigaction(signal, &action, nullptr) != 0) return OsError{errno, "sigaction"};
  return Ok{};
}

// The matching record with the highest sequence number.
template <typename Matches>
std::optional<Fault> Newest(const Fault* records, Matches matches) {
  std::optional<Fault> newest;
  for (std::size_t i = 0; i < kRecords; ++i) {
    const Fault& record = records[i];
    if (record.sequence == 0 || !matches(record)) continue;
    if (!newest || record.sequence > newest->sequence) newest = record;
  }
  return newest;
}

}  // namespace

Status InstallFaultHandler(int record) {
  void* const mapped = mmap(nullptr, sizeof(FaultPage), PROT_READ | PROT_WRITE, MAP_SHARED, record, 0);
  if (mapped == MAP_FAILED) return OsError{errno, "mmap"};
  FaultPage* none = nullptr;
  if (!page.compare_exchange_strong(none, static_cast<FaultPage*>(mapped))) {
    munmap(mapped, sizeof(FaultPage));
    return OsError{EALREADY, "installFaultHandler"};
  }
  if (Status done = Install(SIGSEGV, &previous_segv); !done) return done;
  return Install(SIGBUS, &previous_bus);
}

std::optional<Fault> LastFaultOfThread() {
  const FaultPage* const own = page.load();
  if (own == nullptr) return std::nullopt;
  return Newest(own->records, [thread = ThreadId()](const Fault& fault) { return fault.thread_id == thread; });
}

Result<std::optional<Fault>> ReadFault(int record) {
  Fault records[kRecords];
  // A copy: the process may still be writing, and may be hostile.
  const ssize_t got = pread(record, records, sizeof(records), offsetof(FaultPage, records));
  if (got < 0) return OsError{errno, "pread"};
  if (got != static_cast<ssize_t>(sizeof(records))) return OsError{EINVAL, "pread beyond the end of the record frame"};
  std::optional<Fault> fatal = Newest(records, [](const Fault& fault) { return fault.trapped == 0; });
  return fatal ? fatal : Newest(records, [](const Fault&) { return true; });
}

}  // namespace kaal
