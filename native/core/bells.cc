// bells.cc: the process's bells under one lock, and epoll(7) sets of them, edge-triggered: a bell that has rung need not
// be read.
#include "core/bells.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <vector>

#include "core/eventfd.h"

namespace kaal {

namespace {

struct Bells {
  UniqueFd own;
  UniqueFd peer;
  BellSet* listener = nullptr;
};

// No address of a bell: addresses have 32 bits.
constexpr std::uint64_t kTakenKey = UINT64_MAX;
constexpr std::size_t kMostEvents = 64;

Status Watch(int epoll, int bell, std::uint64_t key) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = key;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, bell, &event) != 0 && errno != EEXIST) return OsError{errno, "epoll_ctl"};
  return Ok{};
}

}  // namespace

struct BellTable {
  std::mutex lock;
  std::map<std::uint32_t, Bells> bells;
  // Addresses whose bells were taken from a listening set, until it collects them.
  std::map<BellSet*, std::vector<std::uint32_t>> taken;

  // An epoll set shows a bell for as long as anybody in any process has it open, so closing it is not enough.
  void StopListening(std::uint32_t address, Bells& at) {
    if (at.listener == nullptr) return;
    epoll_ctl(at.listener->epoll_.get(), EPOLL_CTL_DEL, at.own.get(), nullptr);
    taken[at.listener].push_back(address);
    // It is never full: nobody but us can ring it.
    (void)AddToEventFd(at.listener->taken_.get());
    at.listener = nullptr;
  }

  void Forget(BellSet* set) {
    for (auto& [address, at] : bells) {
      if (at.listener == set) at.listener = nullptr;
    }
    taken.erase(set);
  }
};

namespace {

// Never destroyed: the mapper thread uses it until the process ends.
BellTable& Table() {
  static BellTable* const table = new BellTable;
  return *table;
}

}  // namespace

Result<std::unique_ptr<BellSet>> BellSet::Create() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return OsError{errno, "epoll_create1"};
  Result<UniqueFd> taken = CreateEventFd();
  if (!taken) return taken.error();
  if (Status done = Watch(epoll.get(), taken.value().get(), kTakenKey); !done) return done.error();
  return std::unique_ptr<BellSet>(new BellSet(std::move(epoll), std::move(taken.value())));
}

BellSet::~BellSet() {
  std::lock_guard<std::mutex> lock(Table().lock);
  Table().Forget(this);
}

Result<std::size_t> BellSet::Collect(std::uint32_t* addresses, std::size_t capacity) {
  epoll_event events[kMostEvents];
  const int wanted = static_cast<int>(std::min(capacity, kMostEvents));
  int ready;
  do {
    ready = epoll_wait(epoll_.get(), events, wanted, 0);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return OsError{errno, "epoll_wait"};
  std::size_t count = 0;
  for (int i = 0; i < ready; ++i) {
    if (events[i].data.u64 != kTakenKey) addresses[count++] = static_cast<std::uint32_t>(events[i].data.u64);
  }
  if (static_cast<int>(count) == ready) return count;
  std::lock_guard<std::mutex> lock(Table().lock);
  std::vector<std::uint32_t>& taken = Table().taken[this];
  while (!taken.empty() && count < capacity) {
    addresses[count++] = taken.back();
    taken.pop_back();
  }
  if (!taken.empty()) (void)AddToEventFd(taken_.get());
  return count;
}

void HangBell(std::uint32_t address, BellKind kind, UniqueFd bell) {
  std::lock_guard<std::mutex> lock(Table().lock);
  Bells& at = Table().bells[address];
  if (kind == BellKind::kOwn) {
    Table().StopListening(address, at);
    at.own = std::move(bell);
  } else {
    at.peer = std::move(bell);
  }
}

void TakeBells(std::uint64_t address, std::uint64_t bytes) {
  std::lock_guard<std::mutex> lock(Table().lock);
  auto& bells = Table().bells;
  auto at = bells.begin();
  while (at != bells.end()) {
    const std::uint64_t place = at->first;
    if (place < address || place - address >= bytes) {
      ++at;
      continue;
    }
    Table().StopListening(at->first, at->second);
    at = bells.erase(at);
  }
}

Result<bool> ListenToBell(BellSet& set, std::uint32_t address) {
  std::lock_guard<std::mutex> lock(Table().lock);
  const auto at = Table().bells.find(address);
  if (at == Table().bells.end() || !at->second.own) return false;
  Bells& bells = at->second;
  if (bells.listener == &set) return true;
  // Handed on from one thread to another, which needs not be told that it lost it.
  if (bells.listener != nullptr) epoll_ctl(bells.listener->fd(), EPOLL_CTL_DEL, bells.own.get(), nullptr);
  if (Status done = Watch(set.fd(), bells.own.get(), address); !done) return done.error();
  bells.listener = &set;
  return true;
}

void RingOwnBells() {
  std::lock_guard<std::mutex> lock(Table().lock);
  for (auto& [address, at] : Table().bells) {
    // One that is full has rung.
    if (at.own) (void)AddToEventFd(at.own.get());
  }
}

Result<bool> RingPeersBell(std::uint32_t address) {
  // Under the lock, so that the descriptor is not closed, and its number used anew, before the write.
  std::lock_guard<std::mutex> lock(Table().lock);
  const auto at = Table().bells.find(address);
  if (at == Table().bells.end() || !at->second.peer) return false;
  if (Status done = AddToEventFd(at->second.peer.get()); !done) return done.error();
  return true;
}

}  // namespace kaal
