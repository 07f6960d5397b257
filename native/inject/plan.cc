// plan.cc: the plan's file, whose process this is, and what comes of a call.
#include "plan.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace injection {

namespace {

constexpr std::size_t kNameBytes = 24;
constexpr std::size_t kSites = 512;

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
  std::uint32_t place;  // where it is to fail: offset of the return address, 0 in Node
  std::uint32_t action;
  std::uint32_t windowed;             // whether only calls between two marks count: kill(own id, 0)
  std::atomic<std::uint32_t> marks;   // since the plan was made
  std::atomic<std::uint32_t> halted;  // id of the process that stands still, until whoever made the plan clears it
  std::uint32_t halted_place;
  char halted_call[kNameBytes];
  std::uint32_t thread;  // whose calls count, one of Thread
  std::uint32_t times;   // how many fail, one after the other
  std::uint32_t deaf;    // whether processes of that role are not told when a process ends that they watch; `fired` counts those
  std::uint32_t unused;  // To 128
  Site sites[kSites];
};

// What comes of the planned call. With the last two any call of that role and thread counts.
enum Action : std::uint32_t { kFail, kHaltBefore, kHaltAfter };

enum Thread : std::uint32_t { kAny, kMain, kOther };

// In the child of a clone, which has its parent's memory until it becomes another program.
constexpr char kCloned[] = "cloned";

Plan* plan = nullptr;
char role[kNameBytes] = "";
long own_id = 0;
const void* node_base = nullptr;

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
  // A program's own name is the one that it was started by: without a folder, for the launcher of a component.
  const bool named = std::strncmp(slash == nullptr ? info.dli_fname : slash + 1, "kaal", 4) == 0;
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

bool IsOfRole() {
  const bool cloned = syscall(SYS_getpid) != own_id;
  if (std::strcmp(plan->role, kCloned) == 0) return cloned;
  return std::strcmp(plan->role, role) == 0 && (!cloned || plan->action == kFail);
}

bool IsOfThread() {
  return plan->thread == kAny || (plan->thread == kMain) == (syscall(SYS_gettid) == syscall(SYS_getpid));
}

bool IsPlanned(const char* call, std::uint32_t place) {
  if (plan->remaining == 0 || (plan->windowed != 0 && plan->marks % 2 == 0)) return false;
  if (plan->action == kFail && (plan->place != place || std::strcmp(plan->call, call) != 0)) return false;
  if (!IsOfRole() || !IsOfThread()) return false;
  std::uint32_t left = plan->remaining;
  while (left > 0 && !plan->remaining.compare_exchange_weak(left, left - 1)) {
  }
  return left == 1 || (left != 0 && plan->action == kFail && left <= plan->times);
}

bool StandsStill() { return plan->halted != 0 && plan->halted == static_cast<std::uint32_t>(syscall(SYS_getpid)); }

// Of all threads of the process: those that come by later, too.
void StandStill() {
  const int kept = errno;
  const timespec pause{0, 200'000};
  while (StandsStill()) syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, nullptr);
  errno = kept;
}

void Halt() {
  plan->halted = static_cast<std::uint32_t>(syscall(SYS_getpid));
  StandStill();
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
  if (!in_node) std::strcpy(role, of_daemon ? "guard" : std::strstr(text, "kaal-launcher") != nullptr ? "launcher" : "");
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
  own_id = syscall(SYS_getpid);
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

char preload[512];
char inject[512];

void Mark(long process) {
  if (plan != nullptr && process == own_id) ++plan->marks;
}

bool IsDeafTo(int fd) {
  if (plan == nullptr || plan->deaf == 0 || std::strcmp(plan->role, role) != 0) return false;
  char path[32];
  char target[64] = {};
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  // "anon_inode:[pidfd]", or "pidfd:[...]" from Linux 6.9 on.
  if (readlink(path, target, sizeof(target) - 1) < 0 || std::strstr(target, "pidfd") == nullptr) return false;
  ++plan->fired;
  return true;
}

Call::Call(const char* name, const void* from, Module wanted) {
  if (plan == nullptr || name == nullptr) return;
  std::uint32_t place = 0;
  if (ModuleOf(from, &place) != wanted) return;
  Count(name, place);
  StandStill();
  if (!IsPlanned(name, place)) return;
  ++plan->fired;
  if (plan->action == kFail) {
    error = static_cast<int>(plan->error);
    return;
  }
  plan->halted_place = place;
  std::strncpy(plan->halted_call, name, kNameBytes - 1);
  halt_after_ = plan->action == kHaltAfter;
  if (!halt_after_) Halt();
}

Call::~Call() {
  if (halt_after_) Halt();
}

}  // namespace injection
