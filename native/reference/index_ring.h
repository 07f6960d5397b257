// index_ring.h: a ring of dense slots; an index word says how far the producer is. Two lines move for a message.
#pragma once

#include <algorithm>

#include "reference/message.h"
#include "reference/region.h"

namespace kaal::reference {

// Whether a producer asks for the lines of slots that it will write soon. They are in the consumer's cache.
enum class Ahead { kNo, kYes };

// kPublish is the order of both ends' index stores: release (the fastest right one) or seq_cst (WebAssembly's).
template <std::memory_order kPublish, Ahead kAhead = Ahead::kNo>
class IndexRing {
 public:
  static constexpr std::memory_order kOrder = kPublish;

  IndexRing(Region& region, std::uint32_t slots, std::size_t bytes)
      : write_index_(region.Make<Line>()),
        read_index_(region.Make<Line>()),
        sleeps_(region.Make<Line>()),
        payloads_(region.Take(slots * bytes)),
        slots_(slots),
        bytes_(bytes),
        ahead_slots_(std::max<std::uint32_t>(1, kAheadBytes / bytes)),
        ahead_bytes_(std::min(kAheadBytes, bytes)) {}

  static std::size_t RegionBytes(std::uint32_t slots, std::size_t bytes) {
    return 3 * sizeof(Line) + slots * bytes + kLineBytes;
  }

  // Indices run freely, modulo 2^32; all slots are usable.
  class Producer {
   public:
    explicit Producer(const IndexRing& ring) : ring_(ring) {}

    bool HasRoom(std::uint32_t count) {
      if (ring_.slots_ - (staged_ - seen_read_) >= count) return true;
      // ORDER index-release: the slots below this index have been read.
      seen_read_ = ring_.read_index_->word.load(std::memory_order_acquire);
      return ring_.slots_ - (staged_ - seen_read_) >= count;
    }

    // The next slot, which must have room, to be written in place and then committed.
    void* Claim() const { return ring_.Slot(staged_); }
    // Nobody sees it before Publish().
    void Commit() {
      staged_++;
      if constexpr (kAhead == Ahead::kYes) AskAhead();
    }

    void Stage(const void* payload) {
      CopyPayload(Claim(), payload, ring_.bytes_);
      Commit();
    }

    // Shows all staged messages and returns the word that has changed.
    Word& Publish() {
      // ORDER index-publish: the slots below this index have been written.
      ring_.write_index_->word.store(staged_, kPublish);
      return ring_.write_index_->word;
    }

    Word& sleeps() { return ring_.sleeps_->word; }

   private:
    // By a prefetch for writing, which a processor has and WebAssembly has not. Inline: GCC takes a function that does nothing
    // else for one that does nothing, and drops its calls.
    [[gnu::always_inline]] void AskAhead() const {
      const std::uint32_t next = staged_ + ring_.ahead_slots_;
      if (next - seen_read_ >= ring_.slots_) return;
      const std::byte* const slot = ring_.Slot(next);
      for (std::size_t at = 0; at < ring_.ahead_bytes_; at += kCacheLineBytes) __builtin_prefetch(slot + at, 1);
    }

    const IndexRing ring_;
    std::uint32_t staged_ = 0;
    std::uint32_t seen_read_ = 0;
  };

  class Consumer {
   public:
    explicit Consumer(const IndexRing& ring) : ring_(ring) {}

    bool HasMessage() {
      if (seen_write_ != read_) return true;
      // ORDER index-publish: the slots below this index have been written.
      seen_write_ = ring_.write_index_->word.load(std::memory_order_acquire);
      return seen_write_ != read_;
    }

    // The oldest message, which must be there, to be read in place and then released.
    const void* Peek() const { return ring_.Slot(read_); }

    // Slots are given back by quarters of the ring, which spares a line.
    void Release() {
      read_++;
      if (read_ - released_ < ring_.slots_ / 4) return;
      // ORDER index-release: the slots below this index have been read.
      ring_.read_index_->word.store(read_, kPublish);
      released_ = read_;
    }

    void Pop(void* payload) {
      CopyPayload(payload, Peek(), ring_.bytes_);
      Release();
    }

    // The word that the next publish changes, and whether a value of it shows a message.
    Word& signal() { return ring_.write_index_->word; }
    bool Shows(std::uint32_t signal) const { return signal != read_; }

    Word& sleeps() { return ring_.sleeps_->word; }

   private:
    const IndexRing ring_;
    std::uint32_t read_ = 0;
    std::uint32_t released_ = 0;
    std::uint32_t seen_write_ = 0;
  };

 private:
  // Eight lines, as our ring does.
  static constexpr std::size_t kCacheLineBytes = 64;
  static constexpr std::size_t kAheadBytes = 8 * kCacheLineBytes;

  std::byte* Slot(std::uint32_t index) const { return payloads_ + (index & (slots_ - 1)) * bytes_; }

  Line* write_index_;
  Line* read_index_;
  Line* sleeps_;
  std::byte* payloads_;
  std::uint32_t slots_;
  std::size_t bytes_;
  std::uint32_t ahead_slots_;
  std::size_t ahead_bytes_;
};

}  // namespace kaal::reference
