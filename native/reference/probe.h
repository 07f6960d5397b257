// probe.h: the bare round trip of one word between the two processors, which brackets every trial.
#pragma once

#include "reference/region.h"

namespace kaal::reference {

struct ProbeWords {
  Line ping;
  Line pong;
};

// Parent's side: 20,000 round trips, each word on a line of its own. Returns the median of blocks, in cycles.
double MeasureProbe(ProbeWords& words);
// Child's side.
void AnswerProbe(ProbeWords& words);

// Where the host has put the two virtual processors, told by the probe: 'S', 'N', 'F' or 'X'.
char PlacementOf(double probe_ns);

}  // namespace kaal::reference
