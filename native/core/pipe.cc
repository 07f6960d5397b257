// pipe.cc: pipe2(2), /dev/null.
#include "core/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace kaal {

Result<std::pair<UniqueFd, UniqueFd>> CreatePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return OsError{errno, "pipe2"};
  UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  // Not by pipe2: a child that finds its standard output non-blocking loses what it prints while the pipe is full.
  if (fcntl(read_end.get(), F_SETFL, O_NONBLOCK) != 0) return OsError{errno, "fcntl"};
  return std::pair<UniqueFd, UniqueFd>(std::move(read_end), std::move(write_end));
}

Result<UniqueFd> OpenNothing() {
  UniqueFd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!fd) return OsError{errno, "open"};
  return fd;
}

}  // namespace kaal
