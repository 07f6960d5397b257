// inject.cc: lets one system call of one process fail, or its process stand still right before or after it, for another to
// kill or to stop. Preloaded (LD_PRELOAD) in front of the C library, so that the addon and the launcher under test are the
// very files that ship. KAAL_INJECT names a file, mapped by all processes of a run, in which the plan stands (plan.cc),
// what came of it, and each place in our binaries from which a call was made.
//
// Only calls from the addon and the launcher are counted, and of Node's own the few that the daemon's answers rest on.
#include <alloca.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include "plan.h"

extern char** environ;

using injection::Call;
using injection::Module;

namespace {

// Numbers are the same on all processors; the headers of some supported distributions lack the names.
constexpr long kSysCloseRange = 436;
constexpr long kSysFutexWaitv = 449;
constexpr long kSysIoUringSetup = 425;

template <typename Function>
Function* Real(Function*& real, const char* name) {
  if (real == nullptr) real = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return real;
}

}  // namespace

// Defines CALL with the C library's own behind it; `fails` is what it returns when it is refused.
#define KAAL_INTERPOSE(type, fails, call, name, parameters, arguments) \
  extern "C" type call parameters {                                    \
    static type(*real) parameters = nullptr;                           \
    const Call made(name, __builtin_return_address(0));                \
    if (made.error != 0) {                                             \
      errno = made.error;                                              \
      return fails;                                                    \
    }                                                                  \
    return Real(real, #call) arguments;                                \
  }

KAAL_INTERPOSE(int, -1, memfd_create, "memfd_create", (const char* label, unsigned flags), (label, flags))
KAAL_INTERPOSE(int, -1, fallocate, "fallocate", (int fd, int mode, off_t at, off_t bytes), (fd, mode, at, bytes))
KAAL_INTERPOSE(int, -1, ftruncate, "ftruncate", (int fd, off_t bytes) noexcept, (fd, bytes))
KAAL_INTERPOSE(int, -1, fchmod, "fchmod", (int fd, mode_t mode) noexcept, (fd, mode))
KAAL_INTERPOSE(void*, MAP_FAILED, mmap, "mmap", (void* at, size_t bytes, int prot, int flags, int fd, off_t offset) noexcept,
               (at, bytes, prot, flags, fd, offset))
KAAL_INTERPOSE(int, -1, pipe2, "pipe2", (int* ends, int flags) noexcept, (ends, flags))
KAAL_INTERPOSE(int, -1, socketpair, "socketpair", (int domain, int type, int protocol, int* ends) noexcept,
               (domain, type, protocol, ends))
KAAL_INTERPOSE(ssize_t, -1, sendmsg, "sendmsg", (int fd, const msghdr* message, int flags), (fd, message, flags))
KAAL_INTERPOSE(ssize_t, -1, recvmsg, "recvmsg", (int fd, msghdr* message, int flags), (fd, message, flags))
KAAL_INTERPOSE(int, -1, ppoll, "ppoll", (pollfd* fds, nfds_t count, const timespec* time, const sigset_t* mask),
               (fds, count, time, mask))
KAAL_INTERPOSE(int, -1, eventfd, "eventfd", (unsigned value, int flags) noexcept, (value, flags))
KAAL_INTERPOSE(int, -1, epoll_create1, "epoll_create1", (int flags) noexcept, (flags))
KAAL_INTERPOSE(int, -1, epoll_wait, "epoll_wait", (int epoll, epoll_event* events, int count, int time),
               (epoll, events, count, time))
KAAL_INTERPOSE(int, -1, dup2, "dup2", (int from, int to) noexcept, (from, to))
// A bell's value is written and read as one word of eight bytes, which nothing else is.
KAAL_INTERPOSE(ssize_t, -1, read, bytes == 8 ? "read(eventfd)" : "read", (int fd, void* into, size_t bytes), (fd, into, bytes))
KAAL_INTERPOSE(ssize_t, -1, write, bytes == 8 ? "write(eventfd)" : "write", (int fd, const void* from, size_t bytes), (fd, from, bytes))
KAAL_INTERPOSE(int, -1, fork, "fork", () noexcept, ())
KAAL_INTERPOSE(int, -1, setresuid, "setresuid", (uid_t real_id, uid_t effective, uid_t saved) noexcept,
               (real_id, effective, saved))
KAAL_INTERPOSE(int, -1, execv, "execv", (const char* file, char* const* argv) noexcept, (file, argv))
// The guard's walk through /proc, and what it sleeps in.
KAAL_INTERPOSE(DIR*, nullptr, opendir, "opendir", (const char* path), (path))
KAAL_INTERPOSE(dirent*, nullptr, readdir, "readdir", (DIR* folder), (folder))
KAAL_INTERPOSE(std::FILE*, nullptr, fopen, "fopen", (const char* path, const char* mode), (path, mode))
KAAL_INTERPOSE(size_t, 0, fread, "fread", (void* into, size_t bytes, size_t count, std::FILE* file), (into, bytes, count, file))
KAAL_INTERPOSE(int, -1, sigtimedwait, "sigtimedwait", (const sigset_t* set, siginfo_t* info, const timespec* time),
               (set, info, time))

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  static int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) = nullptr;
  const Call made("pthread_create", __builtin_return_address(0));
  if (made.error != 0) return made.error;
  return Real(real, "pthread_create")(thread, attributes, run, argument);
}

extern "C" void* mremap(void* at, size_t bytes, size_t wanted, int flags, ...) noexcept {
  static void* (*real)(void*, size_t, size_t, int, ...) = nullptr;
  va_list more;
  va_start(more, flags);
  void* const to = flags & MREMAP_FIXED ? va_arg(more, void*) : nullptr;
  va_end(more);
  const Call made("mremap", __builtin_return_address(0));
  if (made.error != 0) {
    errno = made.error;
    return MAP_FAILED;
  }
  return Real(real, "mremap")(at, bytes, wanted, flags, to);
}

extern "C" int open(const char* path, int flags, ...) {
  static int (*real)(const char*, int, ...) = nullptr;
  va_list more;
  va_start(more, flags);
  const unsigned mode = va_arg(more, unsigned);
  va_end(more);
  const Call made("open", __builtin_return_address(0));
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  return Real(real, "open")(path, flags, mode);
}

// A component's process.kill(its own id, 0) is its mark.
extern "C" int kill(pid_t pid, int signal) noexcept {
  static int (*real)(pid_t, int) = nullptr;
  if (signal == 0) injection::Mark(pid);
  return Real(real, "kill")(pid, signal);
}

bool IsInProc(const char* path) { return std::strncmp(path, "/proc/", 6) == 0; }

// What Node calls for fs.openSync and fs.readdirSync.
extern "C" int open64(const char* path, int flags, ...) {
  static int (*real)(const char*, int, ...) = nullptr;
  va_list more;
  va_start(more, flags);
  const unsigned mode = va_arg(more, unsigned);
  va_end(more);
  const Call made(IsInProc(path) ? "open(/proc)" : nullptr, __builtin_return_address(0), Module::kNode);
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  return Real(real, "open64")(path, flags, mode);
}

extern "C" int scandir64(const char* path, dirent64*** entries, int (*filter)(const dirent64*),
                         int (*compare)(const dirent64**, const dirent64**)) {
  static int (*real)(const char*, dirent64***, int (*)(const dirent64*), int (*)(const dirent64**, const dirent64**)) = nullptr;
  const Call made(IsInProc(path) ? "scandir(/proc)" : nullptr, __builtin_return_address(0), Module::kNode);
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  return Real(real, "scandir64")(path, entries, filter, compare);
}

extern "C" int fcntl(int fd, int command, ...) {
  static int (*real)(int, int, ...) = nullptr;
  va_list more;
  va_start(more, command);
  const long argument = va_arg(more, long);
  va_end(more);
  const char* const name = command == F_DUPFD_CLOEXEC ? "F_DUPFD_CLOEXEC"
                           : command == F_ADD_SEALS   ? "F_ADD_SEALS"
                           : command == F_SETFL       ? "F_SETFL"
                                                      : nullptr;
  const Call made(name, __builtin_return_address(0));
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  return Real(real, "fcntl")(fd, command, argument);
}

// libuv's uv_poll_init tries whether a descriptor can be watched at all, and reports what that gave; what it adds later,
// it aborts over.
extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  static int (*real)(int, int, int, epoll_event*) = nullptr;
  const void* const from = __builtin_return_address(0);
  const bool adds = operation == EPOLL_CTL_ADD;
  const Call made(adds ? "epoll_ctl" : nullptr, from);
  const Call made_by_node(adds && event->data.fd == -1 ? "uv_poll_init" : nullptr, from, Module::kNode);
  if (made.error != 0 || made_by_node.error != 0) {
    errno = made.error != 0 ? made.error : made_by_node.error;
    return -1;
  }
  epoll_event deaf{};
  if (adds && injection::IsDeafTo(fd)) {
    deaf.data = event->data;
    event = &deaf;
  }
  return Real(real, "epoll_ctl")(epoll, operation, fd, event);
}

extern "C" long syscall(long number, ...) noexcept {
  static long (*real)(long, ...) = nullptr;
  va_list more;
  va_start(more, number);
  long given[6];
  for (long& each : given) each = va_arg(more, long);
  va_end(more);
  // Some versions of libuv add watches through it, past epoll_ctl.
  if (number == kSysIoUringSetup && injection::inject[0] != '\0') {
    errno = ENOSYS;
    return -1;
  }
  const char* const name = number == SYS_futex && (given[1] & 127) == FUTEX_WAIT_BITSET ? "futex"
                           : number == kSysFutexWaitv                                    ? "futex_waitv"
                           : number == kSysCloseRange                                    ? "close_range"
                           : number == SYS_seccomp                                       ? "seccomp"
                                                                                         : nullptr;
  const Call made(name, __builtin_return_address(0));
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  return Real(real, "syscall")(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

extern "C" int clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept {
  static int (*real)(int (*)(void*), void*, int, void*, ...) = nullptr;
  va_list more;
  va_start(more, argument);
  void* const parent = va_arg(more, void*);
  void* const tls = va_arg(more, void*);
  void* const child = va_arg(more, void*);
  va_end(more);
  const Call made("clone", __builtin_return_address(0));
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  return Real(real, "clone")(run, stack, flags, argument, parent, tls, child);
}

// Nothing is inherited in our system, so what is to be preloaded is added at each exec.
extern "C" int execve(const char* file, char* const* argv, char* const* env) noexcept {
  static int (*real)(const char*, char* const*, char* const*) = nullptr;
  const Call made("execve", __builtin_return_address(0));
  if (made.error != 0) {
    errno = made.error;
    return -1;
  }
  if (injection::inject[0] == '\0') return Real(real, "execve")(file, argv, env);
  std::size_t count = 0;
  while (env[count] != nullptr) ++count;
  char** const more = static_cast<char**>(alloca((count + 3) * sizeof(char*)));
  std::memcpy(more, env, count * sizeof(char*));
  more[count] = injection::preload;
  more[count + 1] = injection::inject;
  more[count + 2] = nullptr;
  return Real(real, "execve")(file, argv, more);
}

// Node's child_process, which gives an absolute path.
extern "C" int execvp(const char* file, char* const* argv) noexcept { return execve(file, argv, environ); }
