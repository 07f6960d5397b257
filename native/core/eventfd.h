// eventfd.h: a count in the kernel that wakes who polls it.
#pragma once

#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

// Never blocks, close-on-exec.
Result<UniqueFd> CreateEventFd();

// Makes it readable, and wakes who polls it, whatever others have done to the count.
Status AddToEventFd(int fd);

}  // namespace kaal
