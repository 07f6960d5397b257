// attacks.cc: carries out all attacks, as a component or as somebody who may do as much, and plays their victim.
#include "launcher/attacks.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/confine.h"
#include "core/errno_name.h"
#include "core/message_socket.h"
#include "core/unique_fd.h"
#include "launcher/attack.h"

namespace kaal {

namespace {

constexpr int kDaemonSocket = 3;

// Prepares what the next attack is made on; false with errno set.
using Prepare = bool (*)();

bool AttemptAll(const Scene& scene, Prepare prepare) {
  for (const std::vector<Attack>* group : {&FrameAttacks(), &ProcessAttacks(), &HidingAttacks()}) {
    for (const Attack& attack : *group) {
      if (!prepare()) return false;
      const int refused = attack.attempt(scene);
      std::printf("%s\t%s\n", attack.name, refused == 0 ? "open" : ErrnoName(refused).c_str());
    }
  }
  return true;
}

bool LeaveAsItIs() { return true; }

// Without seals, since an owner may do what these would refuse to everybody; anew for each attack, which may spoil it.
bool MakeOwnFrame() {
  UniqueFd frame(memfd_create("kaal-attack", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!frame || ftruncate(frame.get(), kPageBytes) != 0) return false;
  // The first free number may be the wanted one.
  if (frame.get() == kFrame) return frame.release() == kFrame;
  return dup2(frame.get(), kFrame) == kFrame;
}

bool MapVictimPage() {
  void* const there = reinterpret_cast<void*>(kVictimPage);
  return mmap(there, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, kFrame, 0) == there;
}

// On a child, which is a process of ours as no other component is one of a component's.
int AttackAsOwner(const char* file) {
  if (!MakeOwnFrame()) return 1;
  // Inherited, so that it is there from the child's first moment on.
  if (!MapVictimPage()) return 1;
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    for (;;) pause();
  }
  const bool done = AttemptAll({child, child, file}, MakeOwnFrame);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return done ? 0 : 1;
}

}  // namespace

int RunAttacks(int argc, char** argv) {
  if (argc == 1) return AttackAsOwner(argv[0]);
  if (argc != 4) return 1;
  const Scene scene{std::atoi(argv[0]), std::atoi(argv[1]), argv[2]};
  AttemptAll(scene, LeaveAsItIs);
  if (std::strcmp(argv[3], "filter") == 0) {
    const Status confined = ConfineProcess();
    if (!confined) return 1;
    std::printf("\n");
    AttemptAll(scene, LeaveAsItIs);
  }
  return 0;
}

int BeVictim() {
  if (!MapVictimPage()) return 1;
  if (!SendMessage(kDaemonSocket, "ready", 5, nullptr, 0)) return 1;
  pollfd socket{kDaemonSocket, 0, 0};
  while (poll(&socket, 1, -1) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace kaal
