// message.h: what travels: a sequence number, a stamp, and a pattern that shows a torn payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "reference/peer.h"

namespace kaal::reference {

// A private buffer of 8-byte words. Word 0 is stamp << 32 | sequence, each further one is one more than the one before.
class Message {
 public:
  explicit Message(std::size_t bytes) : words_(bytes / 8) {}

  void Fill(std::uint32_t sequence, std::uint32_t stamp) {
    const std::uint64_t first = static_cast<std::uint64_t>(stamp) << 32 | sequence;
    for (std::size_t i = 0; i < words_.size(); i++) words_[i] = first + i;
  }

  std::uint32_t stamp() const { return static_cast<std::uint32_t>(words_[0] >> 32); }

  void CheckSequence(std::uint32_t sequence) const {
    if (static_cast<std::uint32_t>(words_[0]) != sequence) FailAt(sequence);
  }

  // Reads every word.
  void CheckAll(std::uint32_t sequence) const {
    std::uint64_t difference = 0;
    for (std::size_t i = 1; i < words_.size(); i++) difference |= words_[i] ^ (words_[0] + i);
    if (difference != 0) FailAt(sequence);
    CheckSequence(sequence);
  }

  void* data() { return words_.data(); }
  const void* data() const { return words_.data(); }

 private:
  [[noreturn]] static void FailAt(std::uint32_t sequence) {
    Fail("message " + std::to_string(sequence) + " came out of order or torn");
  }

  std::vector<std::uint64_t> words_;
};

// memcpy, without a call for the sizes that are measured most: the cases give the compiler a constant.
inline void CopyPayload(void* to, const void* from, std::size_t bytes) {
  switch (bytes) {
    case 8:
      std::memcpy(to, from, 8);
      break;
    case 56:
      std::memcpy(to, from, 56);
      break;
    case 64:
      std::memcpy(to, from, 64);
      break;
    default:
      std::memcpy(to, from, bytes);
  }
  // A receiver may look at the first word only: the whole copy is made nevertheless.
  asm volatile("" : : "r"(to) : "memory");
}

}  // namespace kaal::reference
