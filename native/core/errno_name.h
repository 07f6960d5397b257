// errno_name.h: error numbers by name.
#pragma once

#include <string>

namespace kaal {

// "ENOMEM" for 12; "errno 133" for one that none of our system calls gives.
std::string ErrnoName(int code);

}  // namespace kaal
