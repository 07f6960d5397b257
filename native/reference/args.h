// args.h: the command line of kaal-reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace kaal::reference {

enum class Mode { kSpinPingPong, kParkPingPong, kStream, kProbe };

enum class Variant {
  kNone,
  kIndexRelease,
  kIndexSeqCst,
  kIndexReleaseAhead,
  kIndexSeqCstAhead,
  kSlotRelease,
  kSlotSeqCst,
  kFutex
};

// What the two ends of a stream do with each message; see stream.h.
enum class Payload { kStamped, kFilled, kBlock };

struct Options {
  Mode mode = Mode::kProbe;
  std::string mode_name;
  Variant variant = Variant::kNone;
  std::string variant_name;
  bool pause = false;          // a pause instruction in every spin loop
  Payload payload = Payload::kStamped;
  std::string payload_name = "stamped";
  bool in_place = false;       // a stream is written and read in the slots, as blocks are anyway
  std::size_t bytes = 64;      // payload of a message, a multiple of 8
  std::uint32_t slots = 256;   // of each ring, a power of two
  std::uint32_t samples = 0;   // round trips of each pass, or messages of a stream
  std::uint32_t batch = 1;     // messages that one publish covers
  std::uint32_t block = 1000;  // round trips between two stamps of the median's pass
  unsigned timeout_s = 60;
  double tsc_hz = 0;           // not an argument: the stamp counter's rate
  bool pinned = true;
  int parent_cpu = 0;
  int child_cpu = 1;

  // Two processes that spin on one processor only take time slices from each other.
  bool SameCpu() const { return pinned && parent_cpu == child_cpu; }
};

// Parses and checks the whole command line. A wrong one ends the process: one line on stderr, exit status 2.
// `--help` prints the usage on stdout and ends it with status 0.
Options ParseArgs(int argc, char** argv);

}  // namespace kaal::reference
