// hiding_attacks.cc: places where a component could keep what was revoked, and ways out of what it is confined to.

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "core/message_socket.h"
#include "core/unique_fd.h"
#include "launcher/attack.h"

namespace kaal {

namespace {

constexpr long kSysIoUringSetup = 425;

int ParkDescriptor(const Scene&) {
  Result<std::pair<UniqueFd, UniqueFd>> ends = CreateSocketPair();
  if (!ends) return ends.error().code;
  const Result<bool> sent = SendMessage(ends.value().first.get(), "x", 1, &kFrame, 1);
  return sent ? 0 : sent.error().code;
}

int MakeInternetSocket(const Scene&) { return Opened(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

int MakeMemfd(const Scene&) { return Opened(memfd_create("kaal-attack", MFD_CLOEXEC)); }

int PutPageIntoPipe(const Scene&) {
  const ReadOnlyPage page;
  if (!page) return errno;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  const iovec pages{page.get(), kPageBytes};
  const int refused = Done(vmsplice(ends[1], &pages, 1, 0));
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

}  // namespace

const std::vector<Attack>& HidingAttacks() {
  static const std::vector<Attack> attacks = {
      {"hide a descriptor in a socket (socketpair)", ParkDescriptor},
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
  return attacks;
}

}  // namespace kaal
