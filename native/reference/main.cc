// main.cc: kaal-reference, the yardstick: what a ring between two processes costs when it is written in C++.
#include <cstdio>

#include "reference/args.h"
#include "reference/cycles.h"
#include "reference/index_ring.h"
#include "reference/peer.h"
#include "reference/ping_pong.h"
#include "reference/probe.h"
#include "reference/region.h"
#include "reference/report.h"
#include "reference/results.h"
#include "reference/slot_ring.h"
#include "reference/stream.h"
#include "reference/wait.h"

namespace kaal::reference {

namespace {

constexpr std::memory_order kRelease = std::memory_order_release;
constexpr std::memory_order kSeqCst = std::memory_order_seq_cst;

// Runs one trial between two probes. `parent` and `child` are what each process does in between.
template <class Parent, class Child>
Results Bracket(const Options& options, Region& region, Parent parent, Child child) {
  ProbeWords& before = *region.Make<ProbeWords>();
  ProbeWords& after = *region.Make<ProbeWords>();
  ChildResults& child_results = *region.Make<ChildResults>();
  const bool probe = !options.SameCpu();
  Results results;
  RunPair(
      options,
      [&] {
        if (probe) results.probe_before = MeasureProbe(before);
        parent(results);
        if (probe) results.probe_after = MeasureProbe(after);
      },
      [&] {
        region.Touch();
        if (probe) AnswerProbe(before);
        child(child_results);
        if (probe) AnswerProbe(after);
      });
  results.child = child_results;
  return results;
}

constexpr std::size_t kBracketBytes = 2 * sizeof(ProbeWords) + kLineBytes;

Results RunProbe(const Options& options) {
  Region region(kBracketBytes);
  return Bracket(options, region, [](Results&) {}, [](ChildResults&) {});
}

template <class Ring, class Wait>
Results RunPingPong(const Options& options, Wait wait) {
  using Trial = PingPong<Ring, Wait>;
  Region region(Trial::RegionBytes(options) + kBracketBytes);
  Trial trial(options, region, wait);
  return Bracket(options, region, [&](Results& r) { trial.Parent(r); }, [&](ChildResults& r) { trial.Child(r); });
}

template <class Ring>
Results RunStream(const Options& options) {
  using Trial = Stream<Ring>;
  Region region(Trial::RegionBytes(options) + kBracketBytes);
  Trial trial(options, region);
  return Bracket(options, region, [&](Results&) { trial.Parent(); }, [&](ChildResults& r) { trial.Child(r); });
}

template <class Ring>
Results RunWith(const Options& options) {
  switch (options.mode) {
    case Mode::kSpinPingPong:
      return RunPingPong<Ring>(options, Spin{options.pause});
    case Mode::kParkPingPong:
      return RunPingPong<Ring>(options, Park{});
    case Mode::kStream:
      return RunStream<Ring>(options);
    case Mode::kProbe:
      break;
  }
  return RunProbe(options);
}

Results Run(const Options& options) {
  switch (options.variant) {
    case Variant::kIndexRelease:
      return RunWith<IndexRing<kRelease>>(options);
    case Variant::kIndexSeqCst:
      return RunWith<IndexRing<kSeqCst>>(options);
    case Variant::kSlotRelease:
      return RunWith<SlotRing<kRelease>>(options);
    case Variant::kSlotSeqCst:
      return RunWith<SlotRing<kSeqCst>>(options);
    case Variant::kFutex:
      return RunPingPong<IndexRing<kRelease>>(options, WakeAlways{});
    case Variant::kNone:
      break;
  }
  return RunProbe(options);
}

}  // namespace
}  // namespace kaal::reference

int main(int argc, char** argv) {
  using namespace kaal::reference;
  Options options = ParseArgs(argc, argv);
  const kaal::TscInfo tsc = kaal::GetTscInfo();
  if (!tsc.constant) Fail("this processor's cycle counter has no constant rate, so nothing can be timed with it");
  options.tsc_hz = tsc.hz;
  const std::string line = Report(options, Run(options));
  // A reader that is gone, or a full disk, is a failure as well.
  return std::puts(line.c_str()) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
