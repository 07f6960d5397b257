// memfd.h: frames, the anonymous shared memory behind every mapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

std::size_t PageBytes();

// Says why a frame of `bytes` called `label` cannot be.
Refusal CheckFrame(std::uint64_t bytes, const std::string& label);

// A frame of exactly `bytes`, allocated and zero. Its size can never change. `label` shows in /proc/PID/maps.
Result<UniqueFd> CreateFrame(std::uint64_t bytes, const std::string& label);

// The same without its memory, for AllocateFrame to take piece by piece.
Result<UniqueFd> ReserveFrame(std::uint64_t bytes, const std::string& label);

// Takes the memory of [offset, offset + bytes). Cost: about 0.4 ms for each MiB.
Status AllocateFrame(int fd, std::uint64_t offset, std::uint64_t bytes);

// Another descriptor of the same open file, close-on-exec.
Result<UniqueFd> DuplicateFd(int fd);

// A descriptor of the same memory that can never be mapped or written through for writing, close-on-exec.
Result<UniqueFd> ReopenReadOnly(int fd);

// From now on nobody can map the frame for writing or write to it; mappings that stand go on. Final.
Status SealFutureWrites(int fd);

Status CloseFd(int fd);

}  // namespace kaal
