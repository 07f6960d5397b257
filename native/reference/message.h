// message.h: what travels: a sequence number, a stamp, and a pattern that shows a torn payload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "reference/peer.h"

namespace kaal::reference {

[[noreturn]] inline void FailAt(std::uint32_t sequence) {
  Fail("message " + std::to_string(sequence) + " came out of order or torn");
}

// A payload is 8-byte words. Word 0 is stamp << 32 | sequence, each further one is one more than the one before.
inline void FillPayload(void* payload, std::size_t bytes, std::uint32_t sequence) {
  auto* words = static_cast<std::uint64_t*>(payload);
  for (std::size_t i = 0; i < bytes / 8; i++) words[i] = sequence + i;
}

// Reads every word.
inline void CheckPayload(const void* payload, std::size_t bytes, std::uint32_t sequence) {
  const auto* words = static_cast<const std::uint64_t*>(payload);
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < bytes / 8; i++) difference |= words[i] ^ (sequence + i);
  if (difference != 0) FailAt(sequence);
}

// Renews the first and the last word, which are one in a payload of 8 bytes.
inline void StampEnds(void* payload, std::size_t bytes, std::uint32_t sequence) {
  auto* words = static_cast<std::uint64_t*>(payload);
  words[0] = sequence;
  words[bytes / 8 - 1] = sequence;
}

inline void CheckEnds(const void* payload, std::size_t bytes, std::uint32_t sequence) {
  const auto* words = static_cast<const std::uint64_t*>(payload);
  if (words[0] != sequence || words[bytes / 8 - 1] != sequence) FailAt(sequence);
}

// A private buffer for one payload.
class Message {
 public:
  explicit Message(std::size_t bytes) : words_(bytes / 8) { FillPayload(data(), bytes, 0); }

  // Renews word 0 alone, as a sender does who changes what has changed.
  void Stamp(std::uint32_t sequence, std::uint32_t stamp) {
    words_[0] = static_cast<std::uint64_t>(stamp) << 32 | sequence;
  }

  std::uint32_t stamp() const { return static_cast<std::uint32_t>(words_[0] >> 32); }

  void CheckSequence(std::uint32_t sequence) const {
    if (static_cast<std::uint32_t>(words_[0]) != sequence) FailAt(sequence);
  }

  void* data() { return words_.data(); }
  const void* data() const { return words_.data(); }

 private:
  std::vector<std::uint64_t> words_;
};

// Payloads that are copied and compared in one go. Message n is n itself, then the words behind word n % 64 of a pattern
// that never repeats: what an earlier message left behind is not taken for this one's.
class Blocks {
 public:
  explicit Blocks(std::size_t bytes) : bytes_(bytes), pattern_(bytes / 8 + kShifts) {
    FillPayload(pattern_.data(), pattern_.size() * 8, 0);
  }

  void Write(void* payload, std::uint32_t sequence) const {
    auto* words = static_cast<std::uint64_t*>(payload);
    words[0] = sequence;
    std::memcpy(words + 1, Of(sequence), bytes_ - 8);
  }

  // Reads every byte.
  void Check(const void* payload, std::uint32_t sequence) const {
    const auto* words = static_cast<const std::uint64_t*>(payload);
    if (words[0] != sequence || std::memcmp(words + 1, Of(sequence), bytes_ - 8) != 0) FailAt(sequence);
  }

 private:
  static constexpr std::uint32_t kShifts = 64;

  const std::uint64_t* Of(std::uint32_t sequence) const { return pattern_.data() + sequence % kShifts; }

  std::size_t bytes_;
  std::vector<std::uint64_t> pattern_;
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
