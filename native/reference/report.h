// report.h: the one line of JSON.
#pragma once

#include <string>

#include "reference/args.h"
#include "reference/results.h"

namespace kaal::reference {

// `tsc_hz` is the rate of the stamp counter, by which cycles become times.
std::string Report(const Options& options, const Results& results, double tsc_hz);

}  // namespace kaal::reference
