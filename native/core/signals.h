// signals.h: signals by name.
#pragma once

#include <string>

namespace kaal {

// "SIGSEGV" for 11; "SIG35" for one without a name of its own.
std::string SignalName(int number);

// 0 where no signal has that name.
int SignalNumber(const std::string& name);

}  // namespace kaal
