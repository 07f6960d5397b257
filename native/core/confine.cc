// confine.cc: the system calls of a component. Found with strace on Node 20, 22, 24 and 26; see docs/decisions/0008.
#include "core/confine.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "core/seccomp.h"

namespace kaal {

namespace {

// Numbers are the same on all processors; the headers of some supported distributions lack the names.
constexpr long kSysIoUringSetup = 425;
constexpr long kSysClone3 = 435;
constexpr long kSysOpenat2 = 437;
constexpr long kSysFaccessat2 = 439;
constexpr long kSysEpollPwait2 = 441;
constexpr long kSysFutexWaitv = 449;
constexpr std::uint32_t kPrctlSetVma = 0x53564d41;

constexpr std::uint32_t kAllBits = 0xffffffff;
// What pthread_create(3) asks for, and nothing else: without all of these a clone is another process.
constexpr std::uint32_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                  CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
constexpr std::uint32_t kMuslThread = kThread | CLONE_DETACHED;
constexpr std::uint32_t kFutexCommand = 127;
// A descriptor to read from. Opened for writing, /proc/self/fd would turn a read-only frame into a writable one.
constexpr std::uint32_t kOpenToChange = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

constexpr long kAlwaysAllowed[] = {
    // memory. Also to be executed: V8 writes code, so whoever runs here can run any, and maps its own file once more for
    // each worker. What code can do is what this list says.
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_mremap, SYS_membarrier, SYS_pkey_alloc, SYS_pkey_mprotect,
    // descriptors that are there. A pipe or an eventfd carries bytes, not descriptors; what would put a page into a pipe
    // without copying it (splice, tee, vmsplice, sendfile) is not in this list. Each worker's event loop takes one.
    SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_lseek, SYS_close, SYS_sendmsg, SYS_recvmsg,
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_ppoll, SYS_eventfd2, SYS_pipe2,
    // files, to be looked at
    SYS_fstat, SYS_newfstatat, SYS_statx, SYS_faccessat, kSysFaccessat2, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
    // threads, signals, time
    kSysFutexWaitv, SYS_set_robust_list, SYS_rseq, SYS_sched_yield, SYS_exit, SYS_exit_group, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_clock_gettime, SYS_clock_getres,
    SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
    // what somebody may know of himself
    SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_capget, SYS_getrandom,
    SYS_getrusage, SYS_getcpu, SYS_uname, SYS_sysinfo, SYS_sched_getaffinity, SYS_sched_getparam,
    SYS_sched_getscheduler, SYS_getpriority,
#if defined(__x86_64__)
    // Older forms, which arm64 lacks.
    SYS_epoll_wait, SYS_poll, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_time,
#endif
};

SyscallRule When(long number, unsigned argument, std::uint32_t value, std::uint32_t mask = kAllBits) {
  return {number, {{argument, mask, value}}};
}

// `own` is this process, by its own name for it.
std::vector<SyscallRule> Rules(std::uint32_t own) {
  std::vector<SyscallRule> rules = {
      // First, being the one on the data path. A sleeper on shared memory may be woken but not moved to another word:
      // its waker would never find it. Private futexes reach no other process.
      When(SYS_futex, 1, FUTEX_WAKE, kFutexCommand),
      When(SYS_futex, 1, FUTEX_WAIT, kFutexCommand),
      When(SYS_futex, 1, FUTEX_WAIT_BITSET, kFutexCommand),
      When(SYS_futex, 1, FUTEX_WAKE_BITSET, kFutexCommand),
      When(SYS_futex, 1, FUTEX_PRIVATE_FLAG, FUTEX_PRIVATE_FLAG),
      When(SYS_openat, 2, 0, kOpenToChange),
      When(SYS_clone, 0, kThread),
      When(SYS_clone, 0, kMuslThread),
      // To itself, abort(3) among others.
      When(SYS_kill, 0, own),
      When(SYS_tgkill, 0, own),
      When(SYS_sched_setaffinity, 0, 0),
      When(SYS_sched_setaffinity, 0, own),
      When(SYS_prlimit64, 0, 0),
      When(SYS_prlimit64, 0, own),
      When(SYS_prctl, 0, PR_SET_NAME),
      When(SYS_prctl, 0, kPrctlSetVma),
      When(SYS_fcntl, 1, F_GETFL),
      When(SYS_fcntl, 1, F_SETFL),
      When(SYS_fcntl, 1, F_GETFD),
      When(SYS_fcntl, 1, F_SETFD),
      When(SYS_fcntl, 1, F_DUPFD_CLOEXEC),
      When(SYS_ioctl, 1, FIONBIO),
      When(SYS_ioctl, 1, FIOCLEX),
      When(SYS_ioctl, 1, TCGETS),
      // "There is no such call" has a fallback in the C library where "not permitted" has none.
      {kSysClone3, {}, ENOSYS},
      {kSysOpenat2, {}, ENOSYS},
      {kSysEpollPwait2, {}, ENOSYS},
      {kSysIoUringSetup, {}, ENOSYS},
  };
#if defined(__x86_64__)
  rules.push_back(When(SYS_open, 1, 0, kOpenToChange));
#endif
  for (long number : kAlwaysAllowed) rules.push_back({number});
  return rules;
}

}  // namespace

Status DenyIoUring() { return FilterSyscalls({{kSysIoUringSetup, {}, ENOSYS}}, kAllow); }

Status ConfineProcess() { return FilterSyscalls(Rules(static_cast<std::uint32_t>(getpid())), EPERM); }

}  // namespace kaal
