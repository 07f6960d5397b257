// process_attacks.cc: what a component might do to the daemon, and to another component that writes what it may only read.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "core/unique_fd.h"
#include "launcher/attack.h"

namespace kaal {

namespace {

// Numbers are the same on all processors; the headers of some supported distributions lack the names.
constexpr long kSysPidfdSendSignal = 424;
constexpr long kSysPidfdOpen = 434;
constexpr long kSysPidfdGetfd = 438;

std::string ProcPath(pid_t pid, const std::string& name) { return "/proc/" + std::to_string(pid) + "/" + name; }

int Trace(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return errno;
  // Detaching takes a stopped process.
  if (ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0) waitpid(pid, nullptr, __WALL);
  ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  return 0;
}

int OpenMemory(pid_t pid) { return Opened(open(ProcPath(pid, "mem").c_str(), O_RDWR | O_CLOEXEC)); }

int OpenDescriptor(pid_t pid) { return Opened(open(ProcPath(pid, "fd/3").c_str(), O_PATH | O_CLOEXEC)); }

int OpenFrameOfPeer(const Scene& scene) {
  return Opened(open(ProcPath(scene.peer, "fd/" + std::to_string(kFrame)).c_str(), O_RDWR | O_CLOEXEC));
}

int OpenMappingOfPeer(const Scene& scene) {
  return Opened(open(ProcPath(scene.peer, "map_files/" + PageRange(kVictimPage)).c_str(), O_RDWR | O_CLOEXEC));
}

using Transfer = ssize_t (*)(pid_t, const iovec*, unsigned long, const iovec*, unsigned long, unsigned long);

// Whether Linux lets us is decided before it looks at the address, which is nobody's at the daemon.
int Move(Transfer transfer, pid_t pid, std::uintptr_t address) {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{reinterpret_cast<void*>(address), 1};
  if (transfer(pid, &here, 1, &there, 1, 0) < 0 && !(errno == EFAULT && address == 0)) return errno;
  return 0;
}

int TakeDescriptor(pid_t pid, int fd) {
  const UniqueFd pidfd(static_cast<int>(syscall(kSysPidfdOpen, pid, 0)));
  return pidfd ? Opened(syscall(kSysPidfdGetfd, pidfd.get(), fd, 0)) : errno;
}

int SignalByDescriptor(pid_t pid) {
  const UniqueFd pidfd(static_cast<int>(syscall(kSysPidfdOpen, pid, 0)));
  return pidfd ? Done(syscall(kSysPidfdSendSignal, pidfd.get(), 0, nullptr, 0)) : errno;
}

int Stop(pid_t pid) {
  if (kill(pid, SIGSTOP) != 0) return errno;
  return Done(kill(pid, SIGCONT));
}

int Limit(pid_t pid) {
  rlimit limit{};
  if (prlimit(pid, RLIMIT_CORE, nullptr, &limit) != 0) return errno;
  return Done(prlimit(pid, RLIMIT_CORE, &limit, nullptr));
}

int Move(pid_t pid) {
  cpu_set_t cpus;
  if (sched_getaffinity(pid, sizeof(cpus), &cpus) != 0) return errno;
  return Done(sched_setaffinity(pid, sizeof(cpus), &cpus));
}

}  // namespace

const std::vector<Attack>& ProcessAttacks() {
  static const std::vector<Attack> attacks = {
      {"trace the daemon (ptrace)", [](const Scene& scene) { return Trace(scene.daemon); }},
      {"trace another component (ptrace)", [](const Scene& scene) { return Trace(scene.peer); }},
      {"open the daemon's memory (/proc/PID/mem)", [](const Scene& scene) { return OpenMemory(scene.daemon); }},
      {"open another component's memory (/proc/PID/mem)", [](const Scene& scene) { return OpenMemory(scene.peer); }},
      {"read the daemon's memory (process_vm_readv)",
       [](const Scene& scene) { return Move(process_vm_readv, scene.daemon, 0); }},
      {"write the daemon's memory (process_vm_writev)",
       [](const Scene& scene) { return Move(process_vm_writev, scene.daemon, 0); }},
      {"read another component's memory (process_vm_readv)",
       [](const Scene& scene) { return Move(process_vm_readv, scene.peer, kVictimPage); }},
      {"write a frame where its writer has it (process_vm_writev)",
       [](const Scene& scene) { return Move(process_vm_writev, scene.peer, kVictimPage); }},
      {"open the daemon's descriptors (/proc/PID/fd)", [](const Scene& scene) { return OpenDescriptor(scene.daemon); }},
      {"open another component's descriptors (/proc/PID/fd)",
       [](const Scene& scene) { return OpenDescriptor(scene.peer); }},
      {"open a frame through its writer (/proc/PID/fd)", OpenFrameOfPeer},
      {"open a frame through its writer (/proc/PID/map_files)", OpenMappingOfPeer},
      {"take a descriptor of the daemon (pidfd_getfd)", [](const Scene& scene) { return TakeDescriptor(scene.daemon, 0); }},
      {"take a frame from its writer (pidfd_getfd)",
       [](const Scene& scene) { return TakeDescriptor(scene.peer, kFrame); }},
      {"signal the daemon (kill)", [](const Scene& scene) { return Done(kill(scene.daemon, 0)); }},
      {"signal another component (kill)", [](const Scene& scene) { return Done(kill(scene.peer, 0)); }},
      {"stop another component (SIGSTOP)", [](const Scene& scene) { return Stop(scene.peer); }},
      {"signal the daemon (pidfd_send_signal)", [](const Scene& scene) { return SignalByDescriptor(scene.daemon); }},
      {"signal another component (pidfd_send_signal)",
       [](const Scene& scene) { return SignalByDescriptor(scene.peer); }},
      {"set the daemon's limits (prlimit)", [](const Scene& scene) { return Limit(scene.daemon); }},
      {"set another component's limits (prlimit)", [](const Scene& scene) { return Limit(scene.peer); }},
      {"move the daemon to another processor", [](const Scene& scene) { return Move(scene.daemon); }},
      {"move another component to another processor", [](const Scene& scene) { return Move(scene.peer); }},
  };
  return attacks;
}

}  // namespace kaal
