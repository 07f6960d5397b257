// process.cc: clone(2) as vfork does it, so that the cost does not grow with this process, with a pidfd from the start.
// posix_spawn(3) would do but for the pidfd and for closing all other descriptors, which musl and older glibc cannot.
#include "core/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdint>

namespace kaal {

namespace {

constexpr std::size_t kChildStackBytes = 64 * 1024;
// Numbers are the same on all processors; the headers of some supported distributions lack the names.
constexpr long kSysPidfdSendSignal = 424;
constexpr long kSysCloseRange = 436;

// What the child needs, ready made: it shares our memory and must not allocate.
struct ChildCall {
  const char* file;
  char* const* argv;
  char* const* env;
  const UniqueFd* fds;  // none below `fd_count`
  int fd_count;
  OsError failure;
};

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

void ResetSignals() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  // Refused for SIGKILL, SIGSTOP and what the C library keeps to itself, none of which can be ignored.
  for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Runs in the child, on its own stack and in the parent's memory, while the parent's thread stands still.
int RunChild(void* argument) {
  ChildCall* const call = static_cast<ChildCall*>(argument);
  for (int fd = 0; fd < call->fd_count; ++fd) {
    while (dup2(call->fds[fd].get(), fd) < 0) {
      if (errno == EINTR) continue;
      call->failure = {errno, "dup2"};
      _exit(127);
    }
  }
  if (syscall(kSysCloseRange, static_cast<unsigned>(call->fd_count), UINT_MAX, 0u) != 0) {
    call->failure = {errno, "close_range"};
    _exit(127);
  }
  ResetSignals();
  execve(call->file, call->argv, call->env);
  call->failure = {errno, "execve"};
  _exit(127);
}

}  // namespace

Result<Child> Spawn(SpawnPlan plan) {
  // Moved out of the way first: otherwise putting one in its place could overwrite another that is still to come.
  const int fd_count = static_cast<int>(plan.fds.size());
  std::vector<UniqueFd> sources;
  for (int fd : plan.fds) {
    UniqueFd& copy = sources.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, fd_count));
    if (!copy) return OsError{errno, "F_DUPFD_CLOEXEC"};
  }
  const std::vector<char*> argv = Pointers(plan.argv);
  const std::vector<char*> env = Pointers(plan.env);
  ChildCall call{plan.file.c_str(), argv.data(), env.data(), sources.data(), fd_count, {0, ""}};
  std::vector<unsigned char> stack(kChildStackBytes);
  const std::uintptr_t stack_top = reinterpret_cast<std::uintptr_t>(stack.data() + stack.size()) & ~std::uintptr_t{15};

  // A handler of ours must not run in the child, where it would change our memory.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int pidfd = -1;
  // No id is mapped into the user namespace: the child keeps its user's ids without being able to become anything else.
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | (plan.namespaces ? CLONE_NEWUSER | CLONE_NEWPID : 0) | SIGCHLD;
  const pid_t pid = clone(RunChild, reinterpret_cast<void*>(stack_top), flags, &call, &pidfd);
  const int clone_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return OsError{clone_error, "clone"};

  Child child{pid, UniqueFd(pidfd)};
  if (call.failure.code != 0) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return call.failure;
  }
  return child;
}

Result<std::optional<Ending>> Reap(pid_t pid) {
  int status = 0;
  pid_t ended;
  do {
    ended = waitpid(pid, &status, WNOHANG);
  } while (ended < 0 && errno == EINTR);
  if (ended < 0) return OsError{errno, "waitpid"};
  if (ended == 0) return std::optional<Ending>();
  if (WIFSIGNALED(status)) return std::optional<Ending>({true, WTERMSIG(status)});
  return std::optional<Ending>({false, WEXITSTATUS(status)});
}

Result<bool> SendSignal(int pidfd, int signal) {
  if (syscall(kSysPidfdSendSignal, pidfd, signal, nullptr, 0u) == 0) return true;
  if (errno == ESRCH) return false;
  return OsError{errno, "pidfd_send_signal"};
}

}  // namespace kaal
