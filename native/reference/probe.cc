// probe.cc: the bare round trip, and what its length says.
#include "reference/probe.h"

#include "reference/cycles.h"

namespace kaal::reference {

namespace {

constexpr std::uint32_t kRounds = 20'000;
constexpr std::uint32_t kBlockRounds = 1'000;
constexpr std::uint32_t kWarmUpRounds = 2'000;

// As the host places two virtual processors: 45-55 ns as on two threads of one core (S), 90-110 ns within one shared
// cache (N), 390-550 ns far apart (F), about 1,000 ns beyond that (X), measured on KVM guests of AMD EPYCs. The limits
// stand in the gaps.
constexpr double kSameCoreBelowNs = 70;
constexpr double kNearBelowNs = 200;
constexpr double kFarBelowNs = 700;

}  // namespace

double MeasureProbe(ProbeWords& words) {
  std::uint32_t round = 0;
  const auto trips = [&](std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; i++) {
      round++;
      // ORDER probe-ping: nothing else travels; the child answers what it loads.
      words.ping.word.store(round, std::memory_order_release);
      // ORDER probe-pong: the answer to this round.
      while (words.pong.word.load(std::memory_order_acquire) != round) {
      }
    }
  };
  trips(kWarmUpRounds);
  std::vector<double> blocks(kRounds / kBlockRounds);
  for (double& block : blocks) {
    const std::uint64_t start = ReadTsc();
    trips(kBlockRounds);
    block = static_cast<double>(ReadTsc() - start) / kBlockRounds;
  }
  return Quantile(blocks, 0.5);
}

void AnswerProbe(ProbeWords& words) {
  for (std::uint32_t round = 1; round <= kWarmUpRounds + kRounds; round++) {
    // ORDER probe-ping: the parent's round.
    while (words.ping.word.load(std::memory_order_acquire) != round) {
    }
    // ORDER probe-pong: nothing else travels; the parent counts on.
    words.pong.word.store(round, std::memory_order_release);
  }
}

char PlacementOf(double probe_ns) {
  if (probe_ns < kSameCoreBelowNs) return 'S';
  if (probe_ns < kNearBelowNs) return 'N';
  return probe_ns < kFarBelowNs ? 'F' : 'X';
}

}  // namespace kaal::reference
