// attacks.h: what a hostile component might try, tried for `kaal doctor`.
#pragma once

namespace kaal {

// Carried out by a confined process that has the descriptors named in attacks.cc:
//   DAEMON-PID PEER-PID FILE ("filter" | "no-filter")
// Prints a line for each attack: its name, a tab, and the errno that it was refused with or "open"; first as the process
// was started, then, after an empty line, once more under the system call filter. Returns the exit status.
int RunAttacks(int argc, char** argv);

}  // namespace kaal
