// inject.cc: lets one system call of one process fail. Preloaded (LD_PRELOAD) in front of the C library, so that the
// addon and the launcher under test are the very files that ship. KAAL_INJECT names a file, mapped by all processes of
// a run, in which the plan stands, what came of it, and each place in our binaries from which a call was made.
//
// Only calls from the addon and the launcher are counted, and of Node's own the few that the daemon's answers rest on.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace {

constexpr std::size_t kNameBytes = 24;
constexpr std::size_t kSites = 512;
// Numbers are the same on all processors; the headers of some supported distributions lack the names.
constexpr long kSysCloseRange = 436;
constexpr long kSysFutexWaitv = 449;

// As test/fault/resources/plan-file.ts reads it.
struct Site {
  std::atomic<std::uint32_t> taken;
  std::uint32_t place;  // offset of the return address in its binary; 0 in Node
  std::atomic<std::uint32_t> count;
  std::uint32_t unused;
  char role[kNameBytes];
  char call[kNameBytes];
};
struct Plan {
  std::uint32_t round;                   // for the root task
  std::atomic<std::uint32_t> remaining;  // calls until the one that fails; 0: none does
  std::uint32_t error;                   // the errno
  std::atomic<std::uint32_t> fired;
  char role[kNameBytes];
  char call[kNameBytes];
  std::uint32_t place;       // where it is to fail: offset of the return address, 0 in Node
  std::uint32_t unused[13];  // to 120
  Site sites[kSites];
};

enum class Module { kOurs, kNode, kOther };

Plan* plan = nullptr;
char role[kNameBytes] = "";
const void* node_base = nullptr;
char preload[512];
char inject[512];

Module ModuleOf(const void* place, std::uint32_t* offset) {
  Dl_info info;
  if (dladdr(place, &info) == 0) return Module::kOther;
  *offset = static_cast<std::uint32_t>(static_cast<const char*>(place) - static_cast<const char*>(info.dli_fbase));
  if (info.dli_fbase == node_base) {
    *offset = 0;
    return Module::kNode;
  }
  // kaal.node, kaal-launcher; a confined component has the addon as a descriptor.
  const char* const slash = std::strrchr(info.dli_fname, '/');
  const bool named = slash != nullptr && std::strncmp(slash, "/kaal", 5) == 0;
  return named || std::strncmp(info.dli_fname, "/proc/self/fd/", 14) == 0 ? Module::kOurs : Module::kOther;
}

void Count(const char* call, std::uint32_t place) {
  std::uint32_t at = place * 2654435761u;
  for (const char* next = call; *next != '\0'; ++next) at = at * 31 + static_cast<unsigned char>(*next);
  for (const char* next = role; *next != '\0'; ++next) at = at * 31 + static_cast<unsigned char>(*next);
  for (std::size_t tried = 0; tried < kSites; ++tried) {
    Site& site = plan->sites[(at + tried) % kSites];
    std::uint32_t free = 0;
    if (site.taken.compare_exchange_strong(free, 1)) {
      site.place = place;
      std::strncpy(site.role, role, kNameBytes - 1);
      std::strncpy(site.call, call, kNameBytes - 1);
      site.count = 1;
      site.taken = 2;
      return;
    }
    while (site.taken != 2) {
    }
    if (site.place == place && std::strcmp(site.call, call) == 0 && std::strcmp(site.role, role) == 0) {
      ++site.count;
      return;
    }
  }
}

// The errno with which this call fails, or 0.
int Injected(const char* call, const void* from, Module wanted = Module::kOurs) {
  if (plan == nullptr) return 0;
  std::uint32_t place = 0;
  if (ModuleOf(from, &place) != wanted) return 0;
  Count(call, place);
  if (plan->remaining == 0 || plan->place != place || std::strcmp(plan->call, call) != 0 || std::strcmp(plan->role, role) != 0) return 0;
  std::uint32_t left = plan->remaining;
  while (left > 0 && !plan->remaining.compare_exchange_weak(left, left - 1)) {
  }
  if (left != 1) return 0;
  ++plan->fired;
  return static_cast<int>(plan->error);
}

template <typename Function>
Function* Real(Function*& real, const char* name) {
  if (real == nullptr) real = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return real;
}

// The daemon, the guard between it and the command, the launcher, or a component by its name; else nobody.
void FindRole(bool in_node) {
  char text[4096] = {};
  const int file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC));
  const ssize_t length = read(file, text, sizeof(text) - 1);
  close(file);
  for (ssize_t i = 0; i + 1 < length; ++i) {
    if (text[i] == '\0') text[i] = '\n';
  }
  const bool of_daemon = std::strstr(text, "/kernel-daemon.cjs") != nullptr;
  if (!in_node) std::strcpy(role, of_daemon ? "guard" : std::strstr(text, "/kaal-launcher") != nullptr ? "launcher" : "");
  else if (of_daemon) std::strcpy(role, "daemon");
  else if (std::strstr(text, "/kaal.cjs") == nullptr) {
    char* const end = std::strstr(text, ".cjs\0");
    for (char* next = end; next != nullptr; next = std::strstr(next + 1, ".cjs")) {
      *next = '\0';
      const char* const slash = std::strrchr(text, '/');
      std::snprintf(role, sizeof(role), "%.23s", slash == nullptr ? text : slash + 1);
      *next = '.';
    }
  }
}

__attribute__((constructor)) void Start() {
  const char* const path = std::getenv("KAAL_INJECT");
  const char* const library = std::getenv("LD_PRELOAD");
  if (path == nullptr || library == nullptr) return;
  std::snprintf(inject, sizeof(inject), "KAAL_INJECT=%s", path);
  std::snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
  const void* const run = dlsym(RTLD_DEFAULT, "uv_run");
  Dl_info node;
  if (run != nullptr && dladdr(run, &node) != 0) node_base = node.dli_fbase;
  FindRole(run != nullptr);
  if (role[0] == '\0') return;
  const int file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
  if (file < 0) return;
  void* const mapped = reinterpret_cast<void*>(
      syscall(SYS_mmap, nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  if (mapped != MAP_FAILED) plan = static_cast<Plan*>(mapped);
  close(file);
}

}  // namespace

// Defines CALL with the C library's own behind it; `fails` is what it returns when it is refused.
#define KAAL_INTERPOSE(type, fails, call, name, parameters, arguments)    \
  extern "C" type call parameters {                                       \
    static type(*real) parameters = nullptr;                              \
    if (const int error = Injected(name, __builtin_return_address(0))) {  \
      errno = error;                                                      \
      return fails;                                                       \
    }                                                                     \
    return Real(real, #call) arguments;                                   \
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

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  static int (*real)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*) = nullptr;
  if (const int error = Injected("pthread_create", __builtin_return_address(0))) return error;
  return Real(real, "pthread_create")(thread, attributes, run, argument);
}

extern "C" void* mremap(void* at, size_t bytes, size_t wanted, int flags, ...) noexcept {
  static void* (*real)(void*, size_t, size_t, int, ...) = nullptr;
  va_list more;
  va_start(more, flags);
  void* const to = flags & MREMAP_FIXED ? va_arg(more, void*) : nullptr;
  va_end(more);
  if (const int error = Injected("mremap", __builtin_return_address(0))) {
    errno = error;
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
  if (const int error = Injected("open", __builtin_return_address(0))) {
    errno = error;
    return -1;
  }
  return Real(real, "open")(path, flags, mode);
}

bool IsInProc(const char* path) { return std::strncmp(path, "/proc/", 6) == 0; }

// What Node calls for fs.openSync and fs.readdirSync.
extern "C" int open64(const char* path, int flags, ...) {
  static int (*real)(const char*, int, ...) = nullptr;
  va_list more;
  va_start(more, flags);
  const unsigned mode = va_arg(more, unsigned);
  va_end(more);
  const int error = IsInProc(path) ? Injected("open(/proc)", __builtin_return_address(0), Module::kNode) : 0;
  if (error != 0) {
    errno = error;
    return -1;
  }
  return Real(real, "open64")(path, flags, mode);
}

extern "C" int scandir64(const char* path, dirent64*** entries, int (*filter)(const dirent64*),
                         int (*compare)(const dirent64**, const dirent64**)) {
  static int (*real)(const char*, dirent64***, int (*)(const dirent64*), int (*)(const dirent64**, const dirent64**)) = nullptr;
  const int error = IsInProc(path) ? Injected("scandir(/proc)", __builtin_return_address(0), Module::kNode) : 0;
  if (error != 0) {
    errno = error;
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
  const int error = name == nullptr ? 0 : Injected(name, __builtin_return_address(0));
  if (error != 0) {
    errno = error;
    return -1;
  }
  return Real(real, "fcntl")(fd, command, argument);
}

// libuv's uv_poll_init tries whether a descriptor can be watched at all, and reports what that gave; what it adds later,
// it aborts over.
extern "C" int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
  static int (*real)(int, int, int, epoll_event*) = nullptr;
  const void* const from = __builtin_return_address(0);
  int error = 0;
  if (operation == EPOLL_CTL_ADD) {
    error = Injected("epoll_ctl", from);
    if (error == 0 && event->data.fd == -1) error = Injected("uv_poll_init", from, Module::kNode);
  }
  if (error != 0) {
    errno = error;
    return -1;
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
  const char* const name = number == SYS_futex && (given[1] & 127) == FUTEX_WAIT_BITSET ? "futex"
                           : number == kSysFutexWaitv                                    ? "futex_waitv"
                           : number == kSysCloseRange                                    ? "close_range"
                           : number == SYS_seccomp                                       ? "seccomp"
                                                                                         : nullptr;
  const int error = name == nullptr ? 0 : Injected(name, __builtin_return_address(0));
  if (error != 0) {
    errno = error;
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
  if (const int error = Injected("clone", __builtin_return_address(0))) {
    errno = error;
    return -1;
  }
  return Real(real, "clone")(run, stack, flags, argument, parent, tls, child);
}

// Nothing is inherited in our system, so what is to be preloaded is added at each exec.
extern "C" int execve(const char* file, char* const* argv, char* const* env) noexcept {
  static int (*real)(const char*, char* const*, char* const*) = nullptr;
  if (const int error = Injected("execve", __builtin_return_address(0))) {
    errno = error;
    return -1;
  }
  if (inject[0] == '\0') return Real(real, "execve")(file, argv, env);
  std::size_t count = 0;
  while (env[count] != nullptr) ++count;
  char** const more = static_cast<char**>(alloca((count + 3) * sizeof(char*)));
  std::memcpy(more, env, count * sizeof(char*));
  more[count] = preload;
  more[count + 1] = inject;
  more[count + 2] = nullptr;
  return Real(real, "execve")(file, argv, more);
}

// Node's child_process, which gives an absolute path.
extern "C" int execvp(const char* file, char* const* argv) noexcept { return execve(file, argv, environ); }
