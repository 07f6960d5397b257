// process.h: child processes: spawning, reaping, signalling.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

struct SpawnPlan {
  std::string file;
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::vector<int> fds;  // become 0, 1, 2, ...; every other descriptor is closed
  bool namespaces;       // in a user and a process namespace of its own, in which it is process 1 and nobody
};

struct Child {
  pid_t pid;
  UniqueFd pidfd;
};

// Starts a child with an empty signal mask and default dispositions. A file that cannot be executed is reported here.
Result<Child> Spawn(SpawnPlan plan);

struct Ending {
  bool signalled;
  int number;  // exit code, or signal
};

// Takes the ending of the child `pid`, nothing while it still runs. `pid` is positive. ECHILD: not a child, or reaped.
Result<std::optional<Ending>> Reap(pid_t pid);

// False when the process is gone, reaped that is.
Result<bool> SendSignal(int pidfd, int signal);

}  // namespace kaal
