// attacks.cc: one function an attack. Each returns 0 when it succeeded, else the errno that it was refused with, and leaves
// nothing behind and nobody disturbed when it succeeds.
#include "launcher/attacks.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/confine.h"
#include "core/errno_name.h"
#include "core/unique_fd.h"

namespace kaal {

namespace {

// A frame of one page of the daemon's, opened for reading only.
constexpr int kFrame = 5;
constexpr std::size_t kPageBytes = 4096;

constexpr long kSysPidfdOpen = 434;
constexpr long kSysPidfdGetfd = 438;
constexpr long kSysIoUringSetup = 425;

struct Scene {
  pid_t daemon;
  pid_t peer;
  const char* file;  // that only the daemon's user may read
};

// Of a call that returns a descriptor.
int Opened(long fd) {
  if (fd < 0) return errno;
  close(static_cast<int>(fd));
  return 0;
}

int Done(long result) { return result < 0 ? errno : 0; }

std::string ProcPath(pid_t pid, const char* name) { return "/proc/" + std::to_string(pid) + "/" + name; }

int Reopen(const Scene&) {
  return Opened(open(("/proc/self/fd/" + std::to_string(kFrame)).c_str(), O_RDWR | O_CLOEXEC));
}

int ChangeModeAndReopen(const Scene& scene) {
  if (fchmod(kFrame, S_IRUSR | S_IWUSR) != 0) return errno;
  return Reopen(scene);
}

int MapForWriting(const Scene&) {
  void* const page = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kFrame, 0);
  if (page == MAP_FAILED) return errno;
  munmap(page, kPageBytes);
  return 0;
}

int ProtectForWriting(const Scene&) {
  void* const page = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, kFrame, 0);
  if (page == MAP_FAILED) return errno;
  const int refused = Done(mprotect(page, kPageBytes, PROT_READ | PROT_WRITE));
  munmap(page, kPageBytes);
  return refused;
}

int MoveSleepers(const Scene&) {
  void* const page = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, kFrame, 0);
  if (page == MAP_FAILED) return errno;
  // Nobody sleeps there: what counts is whether it may be asked for.
  const long result = syscall(SYS_futex, page, FUTEX_CMP_REQUEUE, 0, INT_MAX, static_cast<char*>(page) + 64, 0);
  const int refused = Done(result);
  munmap(page, kPageBytes);
  return refused;
}

int Trace(pid_t pid) {
  if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return errno;
  // Detaching takes a stopped process; one that is seized runs on, and is free again when its tracer ends.
  return 0;
}
int TraceDaemon(const Scene& scene) { return Trace(scene.daemon); }
int TracePeer(const Scene& scene) { return Trace(scene.peer); }

int OpenMemory(pid_t pid) { return Opened(open(ProcPath(pid, "mem").c_str(), O_RDONLY | O_CLOEXEC)); }
int OpenDaemonMemory(const Scene& scene) { return OpenMemory(scene.daemon); }
int OpenPeerMemory(const Scene& scene) { return OpenMemory(scene.peer); }

int OpenDescriptor(pid_t pid) { return Opened(open(ProcPath(pid, "fd/3").c_str(), O_PATH | O_CLOEXEC)); }
int OpenDaemonDescriptor(const Scene& scene) { return OpenDescriptor(scene.daemon); }
int OpenPeerDescriptor(const Scene& scene) { return OpenDescriptor(scene.peer); }

// Whether Linux lets us is decided before it looks at the address, which is nobody's.
int ReadMemory(pid_t pid) {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{nullptr, 1};
  if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0 && errno != EFAULT) return errno;
  return 0;
}
int ReadDaemonMemory(const Scene& scene) { return ReadMemory(scene.daemon); }
int ReadPeerMemory(const Scene& scene) { return ReadMemory(scene.peer); }

int SignalDaemon(const Scene& scene) { return Done(kill(scene.daemon, 0)); }
int SignalPeer(const Scene& scene) { return Done(kill(scene.peer, 0)); }

int TakeDaemonDescriptor(const Scene& scene) {
  const UniqueFd pidfd(static_cast<int>(syscall(kSysPidfdOpen, scene.daemon, 0)));
  return pidfd ? Opened(syscall(kSysPidfdGetfd, pidfd.get(), 0, 0)) : errno;
}

int LimitDaemon(const Scene& scene) {
  rlimit limit{};
  if (prlimit(scene.daemon, RLIMIT_CORE, nullptr, &limit) != 0) return errno;
  return Done(prlimit(scene.daemon, RLIMIT_CORE, &limit, nullptr));
}

int MoveDaemon(const Scene& scene) {
  cpu_set_t cpus;
  if (sched_getaffinity(scene.daemon, sizeof(cpus), &cpus) != 0) return errno;
  return Done(sched_setaffinity(scene.daemon, sizeof(cpus), &cpus));
}

int MakeSockets(const Scene&) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  close(ends[0]);
  return Opened(ends[1]);
}

int MakeInternetSocket(const Scene&) { return Opened(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

int MakeMemfd(const Scene&) { return Opened(memfd_create("kaal-attack", MFD_CLOEXEC)); }

int PutPageIntoPipe(const Scene&) {
  void* const page = mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, kFrame, 0);
  if (page == MAP_FAILED) return errno;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  const iovec pages{page, kPageBytes};
  const int refused = Done(vmsplice(ends[1], &pages, 1, 0));
  munmap(page, kPageBytes);
  close(ends[0]);
  close(ends[1]);
  return refused;
}

int MakeChild(const Scene&) {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return 0;
}

int RunProgram(const Scene&) {
  char* nothing[] = {nullptr};
  execve("/nonexistent", nothing, nothing);
  return errno == ENOENT ? 0 : errno;
}

int MakeRing(const Scene&) {
  char parameters[120] = {};
  return Opened(syscall(kSysIoUringSetup, 1, parameters));
}

int LeaveNamespace(const Scene&) { return Done(unshare(CLONE_FILES)); }

int WriteFile(const Scene&) { return Opened(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR)); }

int ReadFile(const Scene& scene) { return Opened(open(scene.file, O_RDONLY | O_CLOEXEC)); }

struct Attack {
  const char* name;
  int (*attempt)(const Scene&);
};

constexpr Attack kAttacks[] = {
    {"map a read-only frame for writing", MapForWriting},
    {"make a read-only mapping writable (mprotect)", ProtectForWriting},
    {"reopen a read-only frame for writing (/proc/self/fd)", Reopen},
    {"make it writable (fchmod), then reopen it", ChangeModeAndReopen},
    {"move sleepers to another word (FUTEX_CMP_REQUEUE)", MoveSleepers},
    {"trace the daemon (ptrace)", TraceDaemon},
    {"trace another component (ptrace)", TracePeer},
    {"open the daemon's memory (/proc/PID/mem)", OpenDaemonMemory},
    {"open another component's memory (/proc/PID/mem)", OpenPeerMemory},
    {"read the daemon's memory (process_vm_readv)", ReadDaemonMemory},
    {"read another component's memory (process_vm_readv)", ReadPeerMemory},
    {"open the daemon's descriptors (/proc/PID/fd)", OpenDaemonDescriptor},
    {"open another component's descriptors (/proc/PID/fd)", OpenPeerDescriptor},
    {"take a descriptor of the daemon (pidfd_getfd)", TakeDaemonDescriptor},
    {"signal the daemon (kill)", SignalDaemon},
    {"signal another component (kill)", SignalPeer},
    {"set the daemon's limits (prlimit)", LimitDaemon},
    {"move the daemon to another processor", MoveDaemon},
    {"hide a descriptor in a socket (socketpair)", MakeSockets},
    {"hide a page in a pipe (vmsplice)", PutPageIntoPipe},
    {"hide a mapping in a child (fork)", MakeChild},
    {"get round the filter (io_uring_setup)", MakeRing},
    {"make memory of its own to share (memfd_create)", MakeMemfd},
    {"run another program (execve)", RunProgram},
    {"unshare its descriptors", LeaveNamespace},
    {"reach the network (socket)", MakeInternetSocket},
    {"write files (/tmp)", WriteFile},
    {"read files of the daemon's user", ReadFile},
};

void AttemptAll(const Scene& scene) {
  for (const Attack& attack : kAttacks) {
    const int refused = attack.attempt(scene);
    std::printf("%s\t%s\n", attack.name, refused == 0 ? "open" : ErrnoName(refused).c_str());
  }
}

}  // namespace

int RunAttacks(int argc, char** argv) {
  if (argc != 4) return 1;
  const Scene scene{std::atoi(argv[0]), std::atoi(argv[1]), argv[2]};
  AttemptAll(scene);
  if (std::strcmp(argv[3], "filter") == 0) {
    const Status confined = ConfineProcess();
    if (!confined) return 1;
    std::printf("\n");
    AttemptAll(scene);
  }
  return 0;
}

}  // namespace kaal
