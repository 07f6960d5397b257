// main.cc: kaal-reference, the yardstick: what a ring between two processes costs when it is written in C++.
#include <cstdio>

#include "reference/args.h"
#include "reference/index_ring.h"
#include "reference/report.h"
#include "reference/slot_ring.h"
#include "reference/trial.h"
#include "reference/wait.h"

namespace kaal::reference {

namespace {

constexpr std::memory_order kRelease = std::memory_order_release;
constexpr std::memory_order kSeqCst = std::memory_order_seq_cst;

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
    case Variant::kIndexReleaseAhead:
      return RunWith<IndexRing<kRelease, Ahead::kYes>>(options);
    case Variant::kIndexSeqCstAhead:
      return RunWith<IndexRing<kSeqCst, Ahead::kYes>>(options);
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

int main(int argc, char** argv) { return kaal::reference::Main(argc, argv, kaal::reference::Run); }
