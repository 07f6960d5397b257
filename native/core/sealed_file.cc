// sealed_file.cc: memfd_create(2) with all seals, for programs.
#include "core/sealed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace kaal {

namespace {

int OpenExecutable(const char* label) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  // Where memfds are not executable by default it has to be said. Kernels before 6.3 do not know the flag.
  const int fd = memfd_create(label, flags | MFD_EXEC);
  return fd < 0 && errno == EINVAL ? memfd_create(label, flags) : fd;
}

}  // namespace

Result<UniqueFd> CreateSealedFile(const void* data, std::size_t bytes, const std::string& label) {
  UniqueFd fd(OpenExecutable(label.c_str()));
  if (!fd) return OsError{errno, "memfd_create"};
  const char* next = static_cast<const char*>(data);
  for (std::size_t left = bytes; left > 0;) {
    const ssize_t written = write(fd.get(), next, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return OsError{errno, "write"};
    next += written;
    left -= static_cast<std::size_t>(written);
  }
  if (fchmod(fd.get(), S_IRUSR | S_IXUSR | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) != 0) return OsError{errno, "fchmod"};
  const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (fcntl(fd.get(), F_ADD_SEALS, seals) != 0) return OsError{errno, "F_ADD_SEALS"};
  return fd;
}

}  // namespace kaal
