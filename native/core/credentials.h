// credentials.h: whose process this is.
#pragma once

#include <sys/types.h>

#include "core/result.h"

namespace kaal {

// Becomes user and group `id`, for good, in no other group and with no capability. EPERM: not root. EINVAL: this user
// namespace has no such id. Afterwards the process is not dumpable and has no parent death signal: set them again.
Status BecomeUser(uid_t id);

// Nobody but root, and who has CAP_SYS_PTRACE over this process, may look into it or its /proc folder (false), or
// processes of the same user may as well (true).
Status SetDumpable(bool dumpable);

}  // namespace kaal
