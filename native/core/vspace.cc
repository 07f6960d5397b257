// vspace.cc: mapping frames over the pages of a memory, mmap(2) with MAP_FIXED.
#include "core/vspace.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "core/memfd.h"

namespace kaal {

namespace {

// Page tables change under this lock, so that the mapper thread never maps into memory that was given back.
std::mutex page_tables;
int holders = 0;
// Atomic because signal handlers and futex calls read them without the lock. `attached_bytes` is written last.
std::atomic<std::uint64_t> private_end{0};
std::atomic<std::byte*> attached_base{nullptr};
std::atomic<std::uint64_t> attached_bytes{0};

std::string Number(std::uint64_t value) { return std::to_string(value); }

bool IsWholePages(std::uint64_t value) { return value % PageBytes() == 0; }

constexpr char kNothingAttached[] = "no memory is attached: call attachMemory first";

Status MakeInaccessible(std::byte* place, std::uint64_t bytes) {
  if (bytes == 0) return Ok{};
  // An anonymous mapping rather than mprotect: it also drops what was mapped, and cannot be made writable by a peer.
  void* mapped = mmap(place, bytes, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return OsError{errno, "mmap"};
  return Ok{};
}

}  // namespace

Refusal CheckAttach(const void* base, std::uint64_t bytes, std::uint64_t private_bytes) {
  // V8 takes a plain SharedArrayBuffer from malloc, so it is not aligned; mapping over it would expose the heap.
  if (!IsWholePages(reinterpret_cast<std::uintptr_t>(base)) || !IsWholePages(bytes) || bytes == 0) {
    return "memory of " + Number(bytes) + " bytes is not whole pages: must cover a shared WebAssembly.Memory";
  }
  if (!IsWholePages(private_bytes) || private_bytes == 0 || private_bytes > bytes) {
    return "privateBytes is " + Number(private_bytes) + ": must be a multiple of " + Number(PageBytes()) + " from " +
           Number(PageBytes()) + " to the memory's " + Number(bytes);
  }
  std::lock_guard<std::mutex> lock(page_tables);
  if (holders == 0) return std::nullopt;
  if (attached_base.load() != base || attached_bytes.load() != bytes) {
    return "memory is another one than this process has attached: a process has one, which its threads share";
  }
  if (private_end.load() != private_bytes) {
    return "privateBytes is " + Number(private_bytes) + ": the memory is attached already, with " +
           Number(private_end.load());
  }
  return std::nullopt;
}

Refusal CheckAdopt(const void* base, std::uint64_t bytes) {
  std::lock_guard<std::mutex> lock(page_tables);
  if (holders == 0) return "memory cannot be adopted before a thread of this process has called attachMemory";
  if (attached_base.load() != base || attached_bytes.load() != bytes) {
    return "memory is another one than this process has attached: a process has one, which its threads share";
  }
  return std::nullopt;
}

Status AttachVSpace(void* base, std::uint64_t bytes, std::uint64_t private_bytes) {
  std::lock_guard<std::mutex> lock(page_tables);
  std::byte* const start = static_cast<std::byte*>(base);
  if (holders == 0) {
    if (Status done = MakeInaccessible(start, PageBytes()); !done) return done;
    if (Status done = MakeInaccessible(start + private_bytes, bytes - private_bytes); !done) return done;
    private_end.store(private_bytes);
    attached_base.store(start);
    attached_bytes.store(bytes);
  } else if (attached_base.load() != start) {
    return OsError{EBUSY, "attachMemory"};
  }
  ++holders;
  return Ok{};
}

void AdoptVSpace() {
  std::lock_guard<std::mutex> lock(page_tables);
  ++holders;
}

void ReleaseVSpace() {
  std::lock_guard<std::mutex> lock(page_tables);
  if (--holders > 0) return;
  attached_bytes.store(0);
  attached_base.store(nullptr);
}

Refusal CheckMappable(std::uint64_t address, std::uint64_t bytes) {
  const std::uint64_t end = attached_bytes.load();
  if (end == 0) return kNothingAttached;
  if (!IsWholePages(address) || address < private_end.load() || address > end) {
    return "address is " + Number(address) + ": must be a multiple of " + Number(PageBytes()) + " from " +
           Number(private_end.load()) + ", where private memory ends, to " + Number(end);
  }
  if (!IsWholePages(bytes) || bytes == 0 || bytes > end - address) {
    return "bytes is " + Number(bytes) + ": must be a multiple of " + Number(PageBytes()) + " from " +
           Number(PageBytes()) + " to " + Number(end - address) + ", the memory's end";
  }
  return std::nullopt;
}

Refusal CheckPermissions(std::uint32_t permissions) {
  if (permissions == kPermissionRead || permissions == kPermissionReadWrite) return std::nullopt;
  return "permissions is " + Number(permissions) + ": must be 1 (read) or 3 (read and write)";
}

Status MapFrame(std::uint64_t address, std::uint64_t bytes, int frame, std::uint32_t permissions) {
  std::lock_guard<std::mutex> lock(page_tables);
  if (CheckMappable(address, bytes) || CheckPermissions(permissions)) return OsError{EINVAL, "mmap"};
  struct stat file;
  if (fstat(frame, &file) != 0) return OsError{errno, "fstat"};
  // Linux would map beyond the end without a word, and every access there would be a SIGBUS.
  if (static_cast<std::uint64_t>(file.st_size) < bytes) return OsError{EINVAL, "mmap beyond the end of the frame"};
  const int protection = permissions == kPermissionRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* mapped = mmap(attached_base.load() + address, bytes, protection, MAP_FIXED | MAP_SHARED, frame, 0);
  if (mapped == MAP_FAILED) return OsError{errno, "mmap"};
  return Ok{};
}

Status UnmapFrame(std::uint64_t address, std::uint64_t bytes) {
  std::lock_guard<std::mutex> lock(page_tables);
  if (CheckMappable(address, bytes)) return OsError{EINVAL, "mmap"};
  return MakeInaccessible(attached_base.load() + address, bytes);
}

Result<std::uint32_t*> OwnPage(std::uint64_t address) {
  std::lock_guard<std::mutex> lock(page_tables);
  const std::size_t bytes = PageBytes();
  if (CheckMappable(address, bytes)) return OsError{EINVAL, "mremap"};
  std::byte* const place = attached_base.load() + address;
  void* const copy = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) return OsError{errno, "mmap"};
  // An old size of zero makes a second mapping of a shared page.
  void* const shared = mremap(place, 0, bytes, MREMAP_MAYMOVE);
  if (shared == MAP_FAILED) {
    const int error = errno;
    munmap(copy, bytes);
    return OsError{error, "mremap"};
  }
  std::memcpy(copy, shared, bytes);
  if (mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED) {
    const int error = errno;
    munmap(copy, bytes);
    munmap(shared, bytes);
    return OsError{error, "mremap"};
  }
  return static_cast<std::uint32_t*>(shared);
}

Refusal CheckWord(std::uint64_t address) {
  const std::uint64_t end = attached_bytes.load();
  if (end == 0) return kNothingAttached;
  if (address % 4 == 0 && address < end) return std::nullopt;
  return "address is " + Number(address) + ": must be a multiple of 4 below the memory's " + Number(end) + " bytes";
}

std::uint32_t* WordAt(std::uint64_t address) {
  return reinterpret_cast<std::uint32_t*>(attached_base.load() + address);
}

std::int64_t AddressOf(const void* place) {
  const std::uint64_t offset =
      reinterpret_cast<std::uintptr_t>(place) - reinterpret_cast<std::uintptr_t>(attached_base.load());
  return offset < attached_bytes.load() ? static_cast<std::int64_t>(offset) : -1;
}

}  // namespace kaal
