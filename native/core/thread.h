// thread.h: which thread of its process is asking.
#pragma once

namespace kaal {

// The one that the process began with, which in Node runs the main program.
bool IsMainThread();

}  // namespace kaal
