// thread.cc: Linux gives a process's first thread the number of the process.
#include "core/thread.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace kaal {

// By number: the C libraries of some supported distributions lack gettid().
bool IsMainThread() { return syscall(SYS_gettid) == getpid(); }

}  // namespace kaal
