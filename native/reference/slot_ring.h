// slot_ring.h: a ring whose slots begin with a sequence word: one line moves for a message of up to 56 bytes.
#pragma once

#include <algorithm>

#include "reference/message.h"
#include "reference/region.h"

namespace kaal::reference {

// kPublish is the order of the sequence and index stores: release (the fastest right one) or seq_cst (WebAssembly's).
template <std::memory_order kPublish>
class SlotRing {
 public:
  static constexpr std::memory_order kOrder = kPublish;

  SlotRing(Region& region, std::uint32_t slots, std::size_t bytes)
      : read_index_(region.Make<Line>()),
        sleeps_(region.Make<Line>()),
        slots_start_(region.Take(slots * Stride(bytes))),
        slots_(slots),
        bytes_(bytes),
        stride_(Stride(bytes)) {}

  static std::size_t RegionBytes(std::uint32_t slots, std::size_t bytes) {
    return 2 * sizeof(Line) + slots * Stride(bytes) + kLineBytes;
  }

  // Message number n (from 0) stands in slot n modulo slots; n + 1 in its sequence word says that it is there.
  class Producer {
   public:
    explicit Producer(const SlotRing& ring) : ring_(ring) {}

    bool HasRoom(std::uint32_t count) {
      if (ring_.slots_ - (staged_ - seen_read_) >= count) return true;
      // ORDER slot-release: the slots below this index have been read.
      seen_read_ = ring_.read_index_->word.load(std::memory_order_acquire);
      return ring_.slots_ - (staged_ - seen_read_) >= count;
    }

    // The next slot, which must have room, to be written in place and then committed.
    void* Claim() const { return ring_.Payload(staged_); }

    // Nobody sees it before Publish().
    void Commit() {
      // The consumer looks at a batch's first slot first, so that slot's store publishes those behind it as well.
      if (staged_ != published_) ring_.Sequence(staged_).store(staged_ + 1, std::memory_order_relaxed);
      staged_++;
    }

    void Stage(const void* payload) {
      CopyPayload(Claim(), payload, ring_.bytes_);
      Commit();
    }

    // Shows all staged messages, at least one, and returns the word that has changed.
    Word& Publish() {
      Word& first = ring_.Sequence(published_);
      // ORDER slot-publish: this slot, and those staged behind it, have been written.
      first.store(published_ + 1, kPublish);
      published_ = staged_;
      return first;
    }

    Word& sleeps() { return ring_.sleeps_->word; }

   private:
    const SlotRing ring_;
    std::uint32_t published_ = 0;
    std::uint32_t staged_ = 0;
    std::uint32_t seen_read_ = 0;
  };

  class Consumer {
   public:
    explicit Consumer(const SlotRing& ring) : ring_(ring) {}

    // ORDER slot-publish: this slot, and those staged behind it, have been written.
    bool HasMessage() { return Shows(signal().load(std::memory_order_acquire)); }

    // The oldest message, which must be there, to be read in place and then released.
    const void* Peek() const { return ring_.Payload(read_); }

    // Slots are given back by quarters of the ring, which spares a line.
    void Release() {
      read_++;
      if (read_ - released_ < ring_.slots_ / 4) return;
      // ORDER slot-release: the slots below this index have been read.
      ring_.read_index_->word.store(read_, kPublish);
      released_ = read_;
    }

    void Pop(void* payload) {
      CopyPayload(payload, Peek(), ring_.bytes_);
      Release();
    }

    // The word that the next publish changes, and whether a value of it shows a message.
    Word& signal() { return ring_.Sequence(read_); }
    bool Shows(std::uint32_t signal) const { return signal == read_ + 1; }

    Word& sleeps() { return ring_.sleeps_->word; }

   private:
    const SlotRing ring_;
    std::uint32_t read_ = 0;
    std::uint32_t released_ = 0;
  };

 private:
  static constexpr std::size_t kHeadBytes = 8;

  // Slots are dense below one line, and begin on a line from there on: none lies across more lines than it needs.
  static std::size_t Stride(std::size_t bytes) {
    std::size_t stride = 2 * kHeadBytes;
    while (stride < 64 && stride < kHeadBytes + bytes) stride *= 2;
    return (std::max(kHeadBytes + bytes, stride) + stride - 1) / stride * stride;
  }

  std::byte* Slot(std::uint32_t index) const { return slots_start_ + (index & (slots_ - 1)) * stride_; }
  Word& Sequence(std::uint32_t index) const { return *reinterpret_cast<Word*>(Slot(index)); }
  std::byte* Payload(std::uint32_t index) const { return Slot(index) + kHeadBytes; }

  Line* read_index_;
  Line* sleeps_;
  std::byte* slots_start_;
  std::uint32_t slots_;
  std::size_t bytes_;
  std::size_t stride_;
};

}  // namespace kaal::reference
