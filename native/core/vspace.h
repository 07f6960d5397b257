// vspace.h: the process's one address space for frames, laid over a shared WebAssembly memory. Addresses are byte
// offsets into it. All functions may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace kaal {

// Says why [base, base + bytes) cannot become, or is not, the memory of this process.
Refusal CheckAttach(const void* base, std::uint64_t bytes, std::uint64_t private_bytes);
Refusal CheckAdopt(const void* base, std::uint64_t bytes);

// Makes page 0 and [private_bytes, bytes) inaccessible. A second call with the same memory changes no page.
// Each successful AttachVSpace or AdoptVSpace is one holder; the memory must stay valid until the last has released it.
Status AttachVSpace(void* base, std::uint64_t bytes, std::uint64_t private_bytes);
void AdoptVSpace();
void ReleaseVSpace();

// Says why [address, address + bytes) cannot be mapped or unmapped: outside, private or not whole pages.
Refusal CheckMappable(std::uint64_t address, std::uint64_t bytes);

// The bits of a mapping's permissions, as the contract numbers them.
constexpr std::uint32_t kPermissionNone = 0;
constexpr std::uint32_t kPermissionRead = 1;
constexpr std::uint32_t kPermissionReadWrite = 3;

// Says why `permissions` is not one that a frame can be mapped with.
Refusal CheckPermissions(std::uint32_t permissions);

// Maps the first `bytes` of `frame`, replacing what was there. Refused, it changes nothing. EINVAL: CheckMappable or
// CheckPermissions refuses, or the frame is shorter.
Status MapFrame(std::uint64_t address, std::uint64_t bytes, int frame, std::uint32_t permissions);

// Makes the pages inaccessible and drops what was mapped.
Status UnmapFrame(std::uint64_t address, std::uint64_t bytes);

// Replaces the shared page at `address` by a private copy of it, which can be written. In one step: whoever reads there
// meanwhile sees one or the other. Returns where the shared page is from then on, outside the memory: whoever slept on a
// word of it still does. EINVAL: CheckMappable refuses, or it is not shared.
Result<std::uint32_t*> OwnPage(std::uint64_t address);

// Says why there is no futex word at `address`; where there is one, WordAt is its place.
Refusal CheckWord(std::uint64_t address);
std::uint32_t* WordAt(std::uint64_t address);

// The address of `place`, or -1 outside the memory. Async-signal-safe.
std::int64_t AddressOf(const void* place);

}  // namespace kaal
