// attacks.h: what a hostile component might try with system calls, tried for `kaal doctor` and `kaal attacks`.
#pragma once

namespace kaal {

// Carried out by a process that is confined as a component is, with a frame that it may read as descriptor 5:
//   DAEMON-PID VICTIM-PID FILE ("filter" | "no-filter")
// Prints a line for each attack: its name, a tab, and the errno that it was refused with or "open"; first as the process
// was started, then, with "filter", after an empty line once more under the system call filter.
// With the one argument FILE the same is tried by somebody who may: on a frame and a child of its own.
// Returns the exit status.
int RunAttacks(int argc, char** argv);

// The victim: maps the frame that is its descriptor 5 for writing, says so on the socket that is its descriptor 3, and
// waits until the other end is closed. Returns the exit status.
int BeVictim();

}  // namespace kaal
