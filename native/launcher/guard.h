// guard.h: the process above a daemon, which ends what outlives it.
#pragma once

namespace kaal {

// kaal-launcher --guard GRACE-MS PARENT-PID PROGRAM [ARGUMENT...]; `argv` begins with GRACE-MS.
// Starts PROGRAM, the daemon, and adopts whatever its end leaves without a parent: its components, stopped ones and those
// of namespaces included. They have GRACE-MS milliseconds from then on; who is left is killed. SIGTERM, and the end of the
// process PARENT-PID, end daemon and components at once. Returns when nobody is left, with the daemon's exit code; or ends
// by the signal that the daemon ended by.
int RunGuard(int argc, char** argv);

}  // namespace kaal
