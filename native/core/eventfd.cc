// eventfd.cc: eventfd(2).
#include "core/eventfd.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>

namespace kaal {

Result<UniqueFd> CreateEventFd() {
  UniqueFd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return OsError{errno, "eventfd"};
  return fd;
}

Status AddToEventFd(int fd) {
  for (;;) {
    constexpr std::uint64_t kOne = 1;
    if (write(fd, &kOne, sizeof(kOne)) == sizeof(kOne)) return Ok{};
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return OsError{errno, "write"};
    // Full: only a hostile holder gets it there. Whoever fills it again has woken the sleeper by that.
    std::uint64_t count;
    if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR) return OsError{errno, "read"};
  }
}

}  // namespace kaal
