// credentials.cc: user and group ids, setresuid(2), and who may look into the process, prctl(2).
#include "core/credentials.h"

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

namespace kaal {

Status BecomeUser(uid_t id) {
  // In this order: without the user id of root the others could not be set any more.
  if (setgroups(0, nullptr) != 0) return OsError{errno, "setgroups"};
  if (setresgid(id, id, id) != 0) return OsError{errno, "setresgid"};
  // Takes all capabilities away as well, there being no root among the three ids afterwards.
  if (setresuid(id, id, id) != 0) return OsError{errno, "setresuid"};
  return Ok{};
}

Status SetDumpable(bool dumpable) {
  if (prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0) != 0) return OsError{errno, "PR_SET_DUMPABLE"};
  return Ok{};
}

}  // namespace kaal
