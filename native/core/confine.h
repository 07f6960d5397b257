// confine.h: which system calls a component may make.
#pragma once

#include "core/result.h"

namespace kaal {

// Before a program starts: no io_uring, which carries out system calls that no filter sees. Node 22 and later make one
// at start, and do without where Linux has none.
Status DenyIoUring();

// After a program has started, for good: what running JavaScript and sharing memory takes, and nothing that makes a
// place in which a descriptor or a page could be hidden, a child, or touches another process. Everything else is EPERM.
Status ConfineProcess();

}  // namespace kaal
