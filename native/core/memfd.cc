// memfd.cc: anonymous shared memory, memfd_create(2).
#include "core/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace kaal {

namespace {

constexpr std::size_t kMaxLabelBytes = 249;  // memfd_create(2)

// Frames from this size on are compared with the memory that there is; below, asking would cost more than it saves.
constexpr std::uint64_t kLargeFrameBytes = 16 * 1024 * 1024;

int OpenMemfd(const char* label) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Frames are never executable. Kernels before 6.3 do not know the flag.
  const int fd = memfd_create(label, flags | MFD_NOEXEC_SEAL);
  return fd < 0 && errno == EINVAL ? memfd_create(label, flags) : fd;
}

// What Linux could give without swapping, in bytes; 0 where it does not say.
std::uint64_t AvailableBytes() {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string name; meminfo >> name;) {
    std::uint64_t kib = 0;
    if (name == "MemAvailable:" && meminfo >> kib) return kib * 1024;
  }
  return 0;
}

}  // namespace

std::size_t PageBytes() {
  static const std::size_t bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

Refusal CheckFrame(std::uint64_t bytes, const std::string& label) {
  if (bytes == 0 || bytes % PageBytes() != 0 || bytes > INT64_MAX) {
    return "bytes is " + std::to_string(bytes) + ": must be a positive multiple of the page size, " +
           std::to_string(PageBytes());
  }
  if (label.size() > kMaxLabelBytes || label.find('\0') != std::string::npos) {
    return "label has " + std::to_string(label.size()) + " bytes: must have at most " +
           std::to_string(kMaxLabelBytes) + " and no zero byte";
  }
  return std::nullopt;
}

Result<UniqueFd> ReserveFrame(std::uint64_t bytes, const std::string& label) {
  // fallocate takes page after page and does not look ahead: it would bring the out-of-memory killer, not a refusal.
  if (bytes >= kLargeFrameBytes && bytes > AvailableBytes()) return OsError{ENOMEM, "fallocate"};
  UniqueFd fd(OpenMemfd(label.c_str()));
  if (!fd) return OsError{errno, "memfd_create"};
  while (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) return OsError{errno, "ftruncate"};
  }
  // Made with mode 0777: any process that can name it in /proc, with a descriptor for reading only, could open it again
  // for writing. As it is, that takes the daemon's own user id.
  if (fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0) return OsError{errno, "fchmod"};
  // Unsealed, a peer could shrink the file under our mapping and turn our next load into SIGBUS.
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) return OsError{errno, "F_ADD_SEALS"};
  return fd;
}

Status AllocateFrame(int fd, std::uint64_t offset, std::uint64_t bytes) {
  // Memory that is missing must be refused here: later it would be a SIGBUS in whoever touches the page first.
  while (fallocate(fd, 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) != 0) {
    if (errno != EINTR) return OsError{errno, "fallocate"};
  }
  return Ok{};
}

Result<UniqueFd> CreateFrame(std::uint64_t bytes, const std::string& label) {
  Result<UniqueFd> fd = ReserveFrame(bytes, label);
  if (!fd) return fd;
  if (const Status allocated = AllocateFrame(fd.value().get(), 0, bytes); !allocated) return allocated.error();
  return fd;
}

Result<UniqueFd> DuplicateFd(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return OsError{errno, "F_DUPFD_CLOEXEC"};
  return copy;
}

Result<UniqueFd> ReopenReadOnly(int fd) {
  // Not a duplicate: a new open file, whose mappings cannot be made writable by mprotect either.
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  UniqueFd reopened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!reopened) return OsError{errno, "open"};
  return reopened;
}

Status SealFutureWrites(int fd) {
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) != 0) return OsError{errno, "F_ADD_SEALS"};
  return Ok{};
}

Status CloseFd(int fd) {
  // Not repeated on EINTR: Linux has closed the descriptor by then, and the number may be somebody else's.
  if (close(fd) != 0 && errno != EINTR) return OsError{errno, "close"};
  return Ok{};
}

}  // namespace kaal
