// stream.h: one direction at full speed. The parent produces, the child consumes and checks. A payload is
// stamped: a message of which the first and the last word are renewed; the ring copies all of it, there and back; or, in
//          place, it is copied into the slot, stamped there and checked there;
// filled:  every word written and read by the ends' own code, in private memory or in the slot;
// block:   copied into the slot in one go and compared there in one go, every byte of it.
#pragma once

#include <algorithm>

#include "reference/args.h"
#include "reference/cycles.h"
#include "reference/message.h"
#include "reference/region.h"
#include "reference/results.h"

namespace kaal::reference {

template <class Ring>
class Stream {
 public:
  Stream(const Options& options, Region& region)
      : options_(options),
        ring_(region, options.slots, options.bytes),
        warm_up_(std::min(4 * options.slots, options.samples)),
        total_(warm_up_ + options.samples) {}

  static std::size_t RegionBytes(const Options& options) { return Ring::RegionBytes(options.slots, options.bytes); }

  void Parent() {
    Message message(options_.bytes);
    switch (options_.payload) {
      case Payload::kStamped:
        if (options_.in_place) {
          return Send([&](auto& producer, std::uint32_t sequence) {
            void* const slot = producer.Claim();
            CopyPayload(slot, message.data(), options_.bytes);
            StampEnds(slot, options_.bytes, sequence);
            producer.Commit();
          });
        }
        return Send([&](auto& producer, std::uint32_t sequence) {
          StampEnds(message.data(), options_.bytes, sequence);
          producer.Stage(message.data());
        });
      case Payload::kFilled:
        if (options_.in_place) {
          return Send([&](auto& producer, std::uint32_t sequence) {
            FillPayload(producer.Claim(), options_.bytes, sequence);
            producer.Commit();
          });
        }
        return Send([&](auto& producer, std::uint32_t sequence) {
          FillPayload(message.data(), options_.bytes, sequence);
          producer.Stage(message.data());
        });
      case Payload::kBlock:
        const Blocks blocks(options_.bytes);
        return Send([&](auto& producer, std::uint32_t sequence) {
          blocks.Write(producer.Claim(), sequence);
          producer.Commit();
        });
    }
  }

  void Child(ChildResults& results) {
    Message message(options_.bytes);
    switch (options_.payload) {
      case Payload::kStamped:
        if (options_.in_place) {
          return Receive(results, [&](auto& consumer, std::uint32_t sequence) {
            CheckEnds(consumer.Peek(), options_.bytes, sequence);
            consumer.Release();
          });
        }
        return Receive(results, [&](auto& consumer, std::uint32_t sequence) {
          consumer.Pop(message.data());
          CheckEnds(message.data(), options_.bytes, sequence);
        });
      case Payload::kFilled:
        if (options_.in_place) {
          return Receive(results, [&](auto& consumer, std::uint32_t sequence) {
            CheckPayload(consumer.Peek(), options_.bytes, sequence);
            consumer.Release();
          });
        }
        return Receive(results, [&](auto& consumer, std::uint32_t sequence) {
          consumer.Pop(message.data());
          CheckPayload(message.data(), options_.bytes, sequence);
        });
      case Payload::kBlock:
        const Blocks blocks(options_.bytes);
        return Receive(results, [&](auto& consumer, std::uint32_t sequence) {
          blocks.Check(consumer.Peek(), sequence);
          consumer.Release();
        });
    }
  }

 private:
  // `put(producer, sequence)` stages one message.
  template <class Put>
  void Send(Put put) {
    typename Ring::Producer producer(ring_);
    std::uint32_t sent = 0;
    while (sent < total_) {
      const std::uint32_t batch_end = sent + std::min(options_.batch, total_ - sent);
      while (!producer.HasRoom(batch_end - sent)) Relax(options_.pause);
      for (; sent < batch_end; sent++) put(producer, sent);
      producer.Publish();
    }
  }

  // `take(consumer, sequence)` takes one message, which is there, and checks it.
  template <class Take>
  void Receive(ChildResults& results, Take take) {
    typename Ring::Consumer consumer(ring_);
    std::uint32_t received = 0;
    const auto receive_until = [&](std::uint32_t end) {
      for (; received < end; received++) {
        while (!consumer.HasMessage()) Relax(options_.pause);
        take(consumer, received);
      }
    };
    receive_until(warm_up_);
    const std::uint64_t start = ReadTsc();
    receive_until(total_);
    results.stream_cycles = static_cast<double>(ReadTsc() - start);
  }

  const Options& options_;
  Ring ring_;
  std::uint32_t warm_up_;
  std::uint32_t total_;
};

}  // namespace kaal::reference
