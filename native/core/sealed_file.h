// sealed_file.h: contents that any user can read and run and nobody can change, without a path.
#pragma once

#include <cstddef>
#include <string>

#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

// A memfd with these bytes. Whoever has the descriptor can open it again as /proc/self/fd/N, whatever the directories
// are that the original lies in. Cost: a copy.
Result<UniqueFd> CreateSealedFile(const void* data, std::size_t bytes, const std::string& label);

}  // namespace kaal
