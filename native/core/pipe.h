// pipe.h: where a child process writes its output to, and what it reads its input from.
#pragma once

#include <utility>

#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

// Read end, which never blocks, and write end, which does.
Result<std::pair<UniqueFd, UniqueFd>> CreatePipe();

// /dev/null, to be read.
Result<UniqueFd> OpenNothing();

}  // namespace kaal
