// ping_pong.h: round trips over two rings, there and back, for any ring and any way of waiting.
#pragma once

#include <algorithm>

#include "reference/args.h"
#include "reference/cycles.h"
#include "reference/message.h"
#include "reference/region.h"
#include "reference/results.h"

namespace kaal::reference {

// Three passes, because a stamp costs about a fifth of a short round trip:
// 1. where round trips are short, one stamp for each block of them, for the median;
// 2. one stamp for each round trip, for the tail; 3. a stamp in each message and one at its receipt, for one way alone.
template <class Ring, class Wait>
class PingPong {
 public:
  PingPong(const Options& options, Region& region, Wait wait)
      : options_(options),
        there_(region, options.slots, options.bytes),
        back_(region, options.slots, options.bytes),
        wait_(wait),
        blocks_(Wait::kShortTrips ? options.samples / options.block : 0) {}

  static std::size_t RegionBytes(const Options& options) {
    return 2 * Ring::RegionBytes(options.slots, options.bytes);
  }

  void Parent(Results& results) {
    End end(there_, back_, wait_, options_.bytes);
    const double stamp_cost = StampCost();
    std::vector<double> blocks(blocks_);
    std::vector<std::uint64_t> trips(options_.samples);
    std::uint32_t sequence = 0;
    const auto trip = [&](std::uint32_t stamp) {
      end.Send(sequence, stamp);
      end.Receive(sequence);
      sequence++;
    };

    for (std::uint32_t i = 0; i < kWarmUpTrips; i++) trip(0);
    for (double& block : blocks) {
      const std::uint64_t start = ReadTsc();
      for (std::uint32_t i = 0; i < options_.block; i++) trip(0);
      block = static_cast<double>(ReadTsc() - start) / options_.block;
    }
    std::uint64_t last = ReadTsc();
    for (std::uint64_t& cycles : trips) {
      trip(0);
      const std::uint64_t now = ReadTsc();
      cycles = now - last;
      last = now;
    }
    for (std::uint32_t i = 0; i < options_.samples; i++) trip(static_cast<std::uint32_t>(ReadTsc()));

    const auto trip_cycles = [&](double quantile) {
      return static_cast<double>(Quantile(trips, quantile)) - stamp_cost;
    };
    results.rtt_p50 = Wait::kShortTrips ? Quantile(blocks, 0.5) : trip_cycles(0.5);
    results.rtt_p99 = trip_cycles(0.99);
    results.rtt_p999 = trip_cycles(0.999);
    results.rtt_max = trip_cycles(1);
    for (const std::uint64_t cycles : trips) {
      results.histogram.Add(std::max(static_cast<double>(cycles) - stamp_cost, 1.0) * 1e9 / options_.tsc_hz);
    }
  }

  void Child(ChildResults& results) {
    End end(back_, there_, wait_, options_.bytes);
    const double stamp_cost = StampCost();
    std::vector<std::int32_t> ways(options_.samples);
    const std::uint32_t unstamped = kWarmUpTrips + blocks_ * options_.block + options_.samples;
    std::uint32_t sequence = 0;
    for (; sequence < unstamped; sequence++) {
      end.Receive(sequence);
      end.Send(sequence, 0);
    }
    for (std::int32_t& way : ways) {
      const std::uint32_t sent = end.Receive(sequence);
      // Modulo 2^32, and signed: two processors' counters may differ by a few cycles.
      way = static_cast<std::int32_t>(static_cast<std::uint32_t>(ReadTsc()) - sent);
      end.Send(sequence, 0);
      sequence++;
    }
    results.oneway_stamp_p50 = static_cast<double>(Quantile(ways, 0.5)) - stamp_cost;
  }

 private:
  static constexpr std::uint32_t kWarmUpTrips = 1'000;

  // One process's two ring ends and its private buffers.
  struct End {
    End(const Ring& out_ring, const Ring& in_ring, Wait wait_policy, std::size_t bytes)
        : out(out_ring), in(in_ring), wait(wait_policy), sent(bytes), received(bytes) {}

    void Send(std::uint32_t sequence, std::uint32_t stamp) {
      sent.Stamp(sequence, stamp);
      // The answer to a message proves that its slot was given back.
      if (!out.HasRoom(1)) Fail("a ring was full in a ping-pong");
      out.Stage(sent.data());
      wait.template Publish<Ring>(out);
    }

    std::uint32_t Receive(std::uint32_t sequence) {
      wait.template ForMessage<Ring>(in);
      in.Pop(received.data());
      received.CheckSequence(sequence);
      return received.stamp();
    }

    typename Ring::Producer out;
    typename Ring::Consumer in;
    Wait wait;
    Message sent;
    Message received;
  };

  const Options& options_;
  Ring there_;
  Ring back_;
  Wait wait_;
  std::uint32_t blocks_;
};

}  // namespace kaal::reference
