// region.cc: a frame, mapped at once and handed out in pieces.
#include "reference/region.h"

#include <sys/mman.h>

#include <cerrno>

#include "core/memfd.h"
#include "reference/peer.h"

namespace kaal::reference {

Region::Region(std::size_t bytes) : bytes_((bytes + PageBytes() - 1) / PageBytes() * PageBytes()) {
  Result<UniqueFd> frame = CreateFrame(bytes_, "kaal-reference");
  if (!frame) FailWith(frame.error());
  void* start = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, frame.value().get(), 0);
  if (start == MAP_FAILED) FailWith(OsError{errno, "mmap"});
  start_ = static_cast<std::byte*>(start);
}

Region::~Region() { munmap(start_, bytes_); }

std::byte* Region::Take(std::size_t bytes) {
  std::byte* piece = start_ + taken_;
  taken_ += (bytes + kLineBytes - 1) / kLineBytes * kLineBytes;
  if (taken_ > bytes_) Fail("the shared region is too small for its pieces");
  return piece;
}

void Region::Touch() const {
  for (std::size_t at = 0; at < bytes_; at += PageBytes()) {
    static_cast<void>(*static_cast<volatile std::byte*>(start_ + at));
  }
}

}  // namespace kaal::reference
