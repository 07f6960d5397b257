// bells.h: the eventfds that wake threads of this process, and of its peers, out of their event loops. Each is named by an
// address in the mapping that it belongs to and goes with it. Nobody outside bells.cc knows the descriptors' numbers, so
// none is used after it has become another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

enum class BellKind { kOwn, kPeer };

// Where one thread learns which bells have rung: an epoll set, so that a bell can be taken away while the thread's event
// loop sleeps. Not to be shared between threads.
class BellSet {
 public:
  static Result<std::unique_ptr<BellSet>> Create();
  ~BellSet();

  // Readable while there is something to collect.
  int fd() const { return epoll_.get(); }

  // Takes the addresses of bells that have rung, or were taken away, since the last time. A set that returns `capacity`
  // may have more.
  Result<std::size_t> Collect(std::uint32_t* addresses, std::size_t capacity);

 private:
  friend struct BellTable;
  BellSet(UniqueFd epoll, UniqueFd taken) : epoll_(std::move(epoll)), taken_(std::move(taken)) {}

  UniqueFd epoll_;
  // Rings when a bell is taken away. Nobody outside this process can hold it back.
  UniqueFd taken_;
};

// Hangs a bell at `address`, in place of one of its kind that hung there.
void HangBell(std::uint32_t address, BellKind kind, UniqueFd bell);

// Takes what hangs at [address, address + bytes) and closes it. Threads that listened there are told.
void TakeBells(std::uint64_t address, std::uint64_t bytes);

// False when no own bell hangs there.
Result<bool> ListenToBell(BellSet& set, std::uint32_t address);

// Wakes every thread of this process that listens to a bell.
void RingOwnBells();

// Wakes the peer. False when no bell of the peer's hangs there.
Result<bool> RingPeersBell(std::uint32_t address);

}  // namespace kaal
