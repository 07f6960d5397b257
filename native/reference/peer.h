// peer.h: the second process: started, pinned, bounded in time, reaped.
#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "reference/args.h"

namespace kaal::reference {

// One line on stderr, then the end with status 1. Either process may call it; the other one notices.
[[noreturn]] void Fail(const std::string& problem);
[[noreturn]] void FailWith(const OsError& error);

// Runs `child` in a forked process on --cpus B and `parent` here on --cpus A, and returns when both have returned.
// Whatever goes wrong (either fails, dies, or --timeout passes) ends this process with status 1 and leaves no child.
void RunPair(const Options& options, const std::function<void()>& parent, const std::function<void()>& child);

}  // namespace kaal::reference
