// results.h: what a run has measured, in cycles of the stamp counter; the report converts.
#pragma once

#include <limits>

#include "reference/histogram.h"

namespace kaal::reference {

// Not a number stays one in every conversion, and is printed as null.
constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// What the child has measured; it stands in the shared region, and the parent reads it when the child has ended.
struct ChildResults {
  double oneway_stamp_p50 = kNotMeasured;
  // First to last message of a stream, as its consumer saw them.
  double stream_cycles = kNotMeasured;
};

struct Results {
  double rtt_p50 = kNotMeasured;
  double rtt_p99 = kNotMeasured;
  double rtt_p999 = kNotMeasured;
  double rtt_max = kNotMeasured;
  double probe_before = kNotMeasured;
  double probe_after = kNotMeasured;
  // Of single round trips.
  Histogram histogram;
  ChildResults child;
};

}  // namespace kaal::reference
