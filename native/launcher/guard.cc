// guard.cc: a child subreaper between the CLI and the daemon. Nothing has to be told to it about components: Linux makes
// them its children when their parent dies, and a child's process id is its own until it has been waited for.
#include "launcher/guard.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/clock.h"

namespace kaal {

namespace {

// The number is the same on all processors; the headers of some supported distributions lack the name.
constexpr long kSysCloseRange = 436;
// Who is killed takes its time to go, and may leave children.
constexpr TimeNs kKillAgainNs = 10'000'000;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "kaal-launcher: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// Asks for SIGTERM at the end of the thread that started this process.
void EndWithParent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) Fail("PR_SET_PDEATHSIG");
  if (getppid() == parent) return;
  errno = ESRCH;
  Fail("the guard's parent");
}

// The parent of the process whose folder in /proc has that name; 0 when it has gone, or cannot be looked at now.
pid_t ParentOf(const char* name) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
  std::FILE* const file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  char text[512];
  const std::size_t length = std::fread(text, 1, sizeof(text) - 1, file);
  std::fclose(file);
  text[length] = '\0';
  // The program's name may hold anything, brackets included.
  const char* const after_name = std::strrchr(text, ')');
  int parent = 0;
  if (after_name == nullptr || std::sscanf(after_name + 1, " %*c %d", &parent) != 1) return 0;
  return parent;
}

// Whom it does not see for want of descriptors or memory it leaves for the next time: it is called until no child is left.
void KillChildren() {
  DIR* const all = opendir("/proc");
  if (all == nullptr) return;
  const pid_t own = getpid();
  while (const dirent* entry = readdir(all)) {
    const pid_t pid = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    if (pid > 0 && ParentOf(entry->d_name) == own) kill(pid, SIGKILL);
  }
  closedir(all);
}

[[noreturn]] void BecomeDaemon(char** program, const sigset_t& mask, pid_t guard) {
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  // Without its guard a daemon ends in order, and its components at once.
  EndWithParent(guard);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("PR_SET_NO_NEW_PRIVS");
  // It knows what components share; a core file would outlive them all.
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) Fail("RLIMIT_CORE");
  execv(program[0], program);
  Fail(program[0]);
}

// Waits until no child is left. Returns how the daemon ended, as waitpid(2) says it.
int Watch(pid_t daemon, const sigset_t& signals, TimeNs grace) {
  int ending = 0;
  TimeNs kill_at = kNever;
  for (;;) {
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != daemon) continue;
      ending = status;
      kill_at = std::min(kill_at, NowNs() + grace);
    }
    if (ended < 0 && errno == ECHILD) return ending;
    if (RemainingNs(kill_at) == 0) {
      KillChildren();
      kill_at = NowNs() + kKillAgainNs;
    }
    const timespec wait = ToTimespec(RemainingNs(kill_at));
    const int signal = sigtimedwait(&signals, nullptr, kill_at == kNever ? nullptr : &wait);
    if (signal > 0 && signal != SIGCHLD) kill_at = 0;
  }
}

}  // namespace

int RunGuard(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: kaal-launcher --guard GRACE-MS PARENT-PID PROGRAM [ARGUMENT...]\n", stderr);
    return 1;
  }
  const TimeNs grace = std::strtoull(argv[0], nullptr, 10) * 1'000'000;
  // Before there is a child: it counts for those that are made afterwards.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) Fail("PR_SET_CHILD_SUBREAPER");
  sigset_t signals, before;
  sigemptyset(&signals);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  sigprocmask(SIG_BLOCK, &signals, &before);
  EndWithParent(static_cast<pid_t>(std::strtol(argv[1], nullptr, 10)));
  const pid_t guard = getpid();
  const pid_t daemon = fork();
  if (daemon < 0) Fail("fork");
  if (daemon == 0) BecomeDaemon(argv + 2, before, guard);
  // The daemon's link to whoever started it: its end is to be seen when the daemon's is.
  syscall(kSysCloseRange, 3u, UINT_MAX, 0u);
  const int ending = Watch(daemon, signals, grace);
  if (!WIFSIGNALED(ending)) return WEXITSTATUS(ending);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(WTERMSIG(ending), SIG_DFL);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  raise(WTERMSIG(ending));
  return 128 + WTERMSIG(ending);
}

}  // namespace kaal
