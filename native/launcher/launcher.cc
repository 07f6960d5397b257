// launcher.cc: the little executable between the daemon and a component's program. It takes away what no component needs,
// then becomes the program. Before that it ties the program's life to that of the process which started it, unless a
// guard (guard.h) ends those that outlive it.
//
//   kaal-launcher PARENT-PID [--guarded] [--user-id | --namespace | --filter] PROGRAM [ARGUMENT...]
//   kaal-launcher --guard ...   (guard.h)
//   kaal-launcher --attack ...  (attacks.h)
//   kaal-launcher --victim      of those (attacks.h)
//
//   --user-id    as a user of its own; started by root
//   --namespace  started in user and process namespaces of its own
//   --filter     as a user whom others are, too
//   PROGRAM      a path, of a descriptor (/proc/self/fd/7) where the program's user may not read the directories to it
//
// Nothing is printed and no status but the program's is given when all is well; otherwise one line and status 1.

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/confine.h"
#include "core/credentials.h"
#include "launcher/attacks.h"
#include "launcher/guard.h"

namespace {

// A component's user id is this and its process id: unique among the living, with nothing to keep and to give back.
// 2^22 ids from here on, the most that Linux gives out as process ids. They lie in the range that systemd lists as
// unused (0x70000000 to 0x7fffffff); broker/confinement.ts checks that no account has one.
constexpr uid_t kFirstUserId = 0x7ca00000;

// More than a component's threads and descriptors, less than would hurt others.
constexpr rlim_t kMaxThreads = 256;
constexpr rlim_t kMaxFds = 256;

// A component's socket to the daemon (BootFd.control).
constexpr int kDaemonSocket = 3;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "kaal-launcher: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void Require(const kaal::Status& status) {
  if (status) return;
  errno = status.error().code;
  Fail(status.error().call);
}

bool IsDaemonGone() {
  pollfd socket{kDaemonSocket, 0, 0};
  return poll(&socket, 1, 0) != 0;
}

// Linux sends the signal when the *thread* that started us ends, so the daemon spawns from its main thread only.
void DieWithParent(const char* parent_pid) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail("PR_SET_PDEATHSIG");
  // The parent may have died before the call above; then nobody will send the signal. From a process namespace of our
  // own its number cannot be seen.
  const pid_t parent = getppid();
  if (parent == 0 ? !IsDaemonGone() : parent == std::strtol(parent_pid, nullptr, 10)) return;
  errno = ESRCH;
  Fail("the parent named in argument 1");
}

// No set-user-id program may give the component more than it was started with.
void GiveUpPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("PR_SET_NO_NEW_PRIVS");
}

void Limit(decltype(RLIMIT_CORE) resource, rlim_t most, const char* name) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) Fail(name);
  if (limit.rlim_max > most) limit.rlim_max = most;
  if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  if (setrlimit(resource, &limit) != 0) Fail(name);
}

// What every confined component loses before its program starts. The system call filter follows when Node has started.
void Confine(bool alone) {
  Limit(RLIMIT_NOFILE, kMaxFds, "RLIMIT_NOFILE");
  // Linux counts all threads of the user, who may have many elsewhere.
  if (alone) Limit(RLIMIT_NPROC, kMaxThreads, "RLIMIT_NPROC");
  Require(kaal::DenyIoUring());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--attack") == 0) return kaal::RunAttacks(argc - 2, argv + 2);
  if (argc > 1 && std::strcmp(argv[1], "--guard") == 0) return kaal::RunGuard(argc - 2, argv + 2);
  if (argc == 2 && std::strcmp(argv[1], "--victim") == 0) return kaal::BeVictim();
  const bool guarded = argc > 2 && std::strcmp(argv[2], "--guarded") == 0;
  char** const rest = argv + (guarded ? 3 : 2);
  const char* const kind = rest >= argv + argc ? "" : rest[0];
  const bool user_id = std::strcmp(kind, "--user-id") == 0;
  const bool alone = user_id || std::strcmp(kind, "--namespace") == 0;
  const bool confined = alone || std::strcmp(kind, "--filter") == 0;
  char** const program = rest + (confined ? 1 : 0);
  if (program >= argv + argc) {
    std::fputs("usage: kaal-launcher PARENT-PID [--guarded] [--user-id | --namespace | --filter] PROGRAM [ARGUMENT...]\n",
               stderr);
    return 1;
  }
  if (user_id) {
    Require(kaal::BecomeUser(kFirstUserId + static_cast<uid_t>(getpid())));
    Require(kaal::SetDumpable(true));
  }
  if (!guarded) DieWithParent(argv[1]);
  GiveUpPrivileges();
  // A component's memory holds what others shared with it; a core file would outlive them all.
  Limit(RLIMIT_CORE, 0, "RLIMIT_CORE");
  if (confined) Confine(alone);
  execv(program[0], program);
  Fail(program[0]);
}
