// stream.h: one direction at full speed. The parent produces, the child consumes and checks every byte.
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
    typename Ring::Producer producer(ring_);
    Message message(options_.bytes);
    std::uint32_t sent = 0;
    while (sent < total_) {
      const std::uint32_t batch_end = sent + std::min(options_.batch, total_ - sent);
      while (!producer.HasRoom(batch_end - sent)) Relax(options_.pause);
      for (; sent < batch_end; sent++) {
        if (options_.in_place) {
          FillPayload(producer.Claim(), options_.bytes, sent);
          producer.Commit();
        } else {
          FillPayload(message.data(), options_.bytes, sent);
          producer.Stage(message.data());
        }
      }
      producer.Publish();
    }
  }

  void Child(ChildResults& results) {
    typename Ring::Consumer consumer(ring_);
    Message message(options_.bytes);
    std::uint32_t received = 0;
    const auto receive_until = [&](std::uint32_t end) {
      for (; received < end; received++) {
        while (!consumer.HasMessage()) Relax(options_.pause);
        if (options_.in_place) {
          CheckPayload(consumer.Peek(), options_.bytes, received);
          consumer.Release();
        } else {
          consumer.Pop(message.data());
          CheckPayload(message.data(), options_.bytes, received);
        }
      }
    };
    receive_until(warm_up_);
    const std::uint64_t start = ReadTsc();
    receive_until(total_);
    results.stream_cycles = static_cast<double>(ReadTsc() - start);
  }

 private:
  const Options& options_;
  Ring ring_;
  std::uint32_t warm_up_;
  std::uint32_t total_;
};

}  // namespace kaal::reference
