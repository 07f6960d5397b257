// trial.h: one trial of any ring between two probes.
#pragma once

#include <cstdio>
#include <string>

#include "reference/args.h"
#include "reference/peer.h"
#include "reference/ping_pong.h"
#include "reference/probe.h"
#include "reference/region.h"
#include "reference/report.h"
#include "reference/results.h"
#include "reference/stream.h"

namespace kaal::reference {

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

inline Results RunProbe(const Options& options) {
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

// Reads the arguments, runs what they ask for, prints the line. Returns the exit status.
inline int Main(int argc, char** argv, Results (*run)(const Options&)) {
  Options options = ParseArgs(argc, argv);
  const TscInfo tsc = GetTscInfo();
  if (!tsc.constant) Fail("this processor's cycle counter has no constant rate, so nothing can be timed with it");
  options.tsc_hz = tsc.hz;
  const std::string line = Report(options, run(options));
  // A reader that is gone, or a full disk, is a failure as well.
  return std::puts(line.c_str()) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}

}  // namespace kaal::reference
