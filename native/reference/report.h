// report.h: the one line of JSON.
#pragma once

#include <string>

#include "reference/args.h"
#include "reference/results.h"

namespace kaal::reference {

std::string Report(const Options& options, const Results& results);

}  // namespace kaal::reference
