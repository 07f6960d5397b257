// launcher.cc: the little executable between the daemon and a component's program. It ties the component's life to the
// daemon's and takes away what no component needs, then becomes the program.
//
//   kaal-launcher PARENT-PID PROGRAM [ARGUMENT...]
//
// Nothing is printed and no status but the program's is given when all is well; otherwise one line and status 1.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "kaal-launcher: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// Linux sends the signal when the *thread* that started us ends, so the daemon spawns from its main thread only.
void DieWithParent(const char* parent_pid) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail("PR_SET_PDEATHSIG");
  // The parent may have died before the call above; then nobody will send the signal.
  if (getppid() != std::strtol(parent_pid, nullptr, 10)) {
    errno = ESRCH;
    Fail("the parent named in argument 1");
  }
}

// No set-user-id program may give the component more than it was started with.
void GiveUpPrivileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) Fail("PR_SET_NO_NEW_PRIVS");
}

// A component's memory holds what others shared with it; a core file would outlive them all.
void DisableCoreFiles() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) Fail("RLIMIT_CORE");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: kaal-launcher PARENT-PID PROGRAM [ARGUMENT...]\n", stderr);
    return 1;
  }
  DieWithParent(argv[1]);
  GiveUpPrivileges();
  DisableCoreFiles();
  execv(argv[2], argv + 2);
  Fail(argv[2]);
}
