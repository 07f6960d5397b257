// frame_attacks.cc: what a reader of a frame might try to write to it, change it for its owner or move who sleeps on it.

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <climits>
#include <cstdio>

#include "launcher/attack.h"

namespace kaal {

ReadOnlyPage::ReadOnlyPage() : page_(mmap(nullptr, kPageBytes, PROT_READ, MAP_SHARED, kFrame, 0)) {}

ReadOnlyPage::~ReadOnlyPage() {
  if (*this) munmap(page_, kPageBytes);
}

ReadOnlyPage::operator bool() const { return page_ != MAP_FAILED; }

std::string ReadOnlyPage::range() const { return PageRange(reinterpret_cast<std::uintptr_t>(page_)); }

std::string PageRange(std::uintptr_t start) {
  char range[64];
  std::snprintf(range, sizeof(range), "%zx-%zx", static_cast<std::size_t>(start),
                static_cast<std::size_t>(start + kPageBytes));
  return range;
}

namespace {

// Not in the headers of all supported distributions.
constexpr int kSealFutureWrite = 0x0010;

int Reopen(const Scene&) {
  return Opened(open(("/proc/self/fd/" + std::to_string(kFrame)).c_str(), O_RDWR | O_CLOEXEC));
}

int ChangeModeAndReopen(const Scene& scene) {
  if (fchmod(kFrame, S_IRUSR | S_IWUSR) != 0) return errno;
  return Reopen(scene);
}

int ReopenMapping(const Scene&) {
  const ReadOnlyPage page;
  if (!page) return errno;
  return Opened(open(("/proc/self/map_files/" + page.range()).c_str(), O_RDWR | O_CLOEXEC));
}

int MapForWriting(const Scene&) {
  void* const page = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, kFrame, 0);
  if (page == MAP_FAILED) return errno;
  munmap(page, kPageBytes);
  return 0;
}

int ProtectForWriting(const Scene&) {
  const ReadOnlyPage page;
  if (!page) return errno;
  return Done(mprotect(page.get(), kPageBytes, PROT_READ | PROT_WRITE));
}

int WriteToIt(const Scene&) { return Done(write(kFrame, "x", 1)); }

int Grow(const Scene&) { return Done(ftruncate(kFrame, 2 * kPageBytes)); }

int Shrink(const Scene&) { return Done(ftruncate(kFrame, 0)); }

int PunchHole(const Scene&) {
  return Done(fallocate(kFrame, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPageBytes));
}

int Seal(const Scene&) { return Done(fcntl(kFrame, F_ADD_SEALS, kSealFutureWrite)); }

int MoveSleepers(const Scene&) {
  const ReadOnlyPage page;
  if (!page) return errno;
  // Nobody sleeps there: what counts is whether it may be asked for.
  return Done(syscall(SYS_futex, page.get(), FUTEX_CMP_REQUEUE, 0, INT_MAX, page.get() + 64, 0));
}

}  // namespace

const std::vector<Attack>& FrameAttacks() {
  static const std::vector<Attack> attacks = {
      {"map a read-only frame for writing", MapForWriting},
      {"make a read-only mapping writable (mprotect)", ProtectForWriting},
      {"reopen a read-only frame for writing (/proc/self/fd)", Reopen},
      {"make it writable (fchmod), then reopen it", ChangeModeAndReopen},
      {"reopen its mapping for writing (/proc/self/map_files)", ReopenMapping},
      {"write to it (write)", WriteToIt},
      {"make it larger (ftruncate)", Grow},
      {"make it smaller (ftruncate)", Shrink},
      {"punch a hole into it (fallocate)", PunchHole},
      {"seal it against its owner (F_ADD_SEALS)", Seal},
      {"move sleepers to another word (FUTEX_CMP_REQUEUE)", MoveSleepers},
  };
  return attacks;
}

}  // namespace kaal
