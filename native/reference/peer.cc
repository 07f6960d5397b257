// peer.cc: fork(2) and the ways in which two processes end.
#include "reference/peer.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/cpu.h"

namespace kaal::reference {

namespace {

// In the parent, while there is a child to be reaped. The signal handlers read it.
volatile pid_t child_pid = 0;

template <std::size_t kSize>
void WriteError(const char (&line)[kSize]) {
  // Nothing is left to do when stderr is gone.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, kSize - 1);
}

void KillAndReap() {
  const pid_t pid = child_pid;
  // From here on the child's end is no news.
  child_pid = 0;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void OnAlarm(int) {
  WriteError("kaal-reference: the time of --timeout is over; give more, or fewer --samples\n");
  KillAndReap();
  _exit(1);
}

// A parent that waits for a message would never learn otherwise that nobody is left to send it.
void OnChildEnd(int) {
  if (child_pid == 0) return;
  siginfo_t end{};
  // WNOWAIT: an orderly end is left for RunPair to collect.
  if (waitid(P_PID, static_cast<id_t>(child_pid), &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid == 0) return;
  if (end.si_code == CLD_EXITED && end.si_status == 0) return;
  // A child that ends by itself has said why.
  if (end.si_code != CLD_EXITED) WriteError("kaal-reference: the child process was killed; run it again\n");
  KillAndReap();
  _exit(1);
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // Each handler ends the process over the same child: one must not interrupt the other.
  sigfillset(&action.sa_mask);
  if (sigaction(signal, &action, nullptr) != 0) FailWith(OsError{errno, "sigaction"});
}

void Pin(const Options& options, int cpu) {
  if (!options.pinned) return;
  if (SetAffinity({cpu})) return;
  Fail("--cpus names CPU " + std::to_string(cpu) + ", on which this process may not run; name another one, or none");
}

[[noreturn]] void RunChild(const Options& options, pid_t parent_pid, const std::function<void()>& child) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) FailWith(OsError{errno, "prctl"});
  // The parent may have died before the line above took effect.
  if (getppid() != parent_pid) _exit(1);
  // For a parent that is stopped; otherwise its own alarm is first, and says what has happened.
  alarm(options.timeout_s + 1);
  Pin(options, options.child_cpu);
  child();
  _exit(0);
}

}  // namespace

void Fail(const std::string& problem) {
  std::fprintf(stderr, "kaal-reference: %s\n", problem.c_str());
  if (child_pid != 0) KillAndReap();
  _exit(1);
}

void FailWith(const OsError& error) { Fail(std::string(error.call) + ": " + std::strerror(error.code)); }

void RunPair(const Options& options, const std::function<void()>& parent, const std::function<void()>& child) {
  const pid_t parent_pid = getpid();
  const pid_t pid = fork();
  if (pid < 0) FailWith(OsError{errno, "fork"});
  if (pid == 0) RunChild(options, parent_pid, child);
  child_pid = pid;
  Handle(SIGALRM, OnAlarm);
  Handle(SIGCHLD, OnChildEnd);
  alarm(options.timeout_s);
  // The child may have failed before the handler was there.
  OnChildEnd(SIGCHLD);
  Pin(options, options.parent_cpu);
  parent();
  siginfo_t end;
  while (waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) FailWith(OsError{errno, "waitid"});
  }
  // Returns only when the child has ended well.
  OnChildEnd(SIGCHLD);
  alarm(0);
  KillAndReap();
}

}  // namespace kaal::reference
