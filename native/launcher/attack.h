// attack.h: what an attack is, and the pieces that attacks are made of.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kaal {

// A frame of one page, and a mapping of it wherever an attack needs one.
constexpr int kFrame = 5;
constexpr std::size_t kPageBytes = 4096;
// Where the victim has that frame mapped for writing.
constexpr std::uintptr_t kVictimPage = 0x10000000;

struct Scene {
  pid_t daemon;
  pid_t peer;        // the victim: another component, the writer of the frame
  const char* file;  // that only the daemon's user may read
};

struct Attack {
  const char* name;
  // 0 when it succeeded, else the errno that it was refused with. Leaves nothing behind and nobody disturbed.
  int (*attempt)(const Scene&);
};

// On a frame that the attacker may read; on the daemon and on the frame's writer; for places where no proof would look.
const std::vector<Attack>& FrameAttacks();
const std::vector<Attack>& ProcessAttacks();
const std::vector<Attack>& HidingAttacks();

inline int Done(long result) { return result < 0 ? errno : 0; }

// Of a call that returns a descriptor.
inline int Opened(long fd) {
  if (fd < 0) return errno;
  close(static_cast<int>(fd));
  return 0;
}

// The frame, mapped for reading.
class ReadOnlyPage {
 public:
  ReadOnlyPage();
  ~ReadOnlyPage();
  ReadOnlyPage(const ReadOnlyPage&) = delete;
  ReadOnlyPage& operator=(const ReadOnlyPage&) = delete;
  explicit operator bool() const;
  char* get() const { return static_cast<char*>(page_); }
  // As /proc/PID/map_files names it.
  std::string range() const;

 private:
  void* const page_;
};

// START-END of one page, as /proc/PID/map_files names it.
std::string PageRange(std::uintptr_t start);

}  // namespace kaal
