// args.cc: every argument is checked before any process is started.
#include "reference/args.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/cpu.h"

namespace kaal::reference {

namespace {

constexpr std::uint64_t kMaxBytes = 64 << 20;
constexpr std::uint64_t kMaxSlots = 1 << 16;
constexpr std::uint64_t kMaxRingBytes = 256 << 20;
constexpr std::uint64_t kMaxSamples = 100'000'000;
constexpr std::uint64_t kMaxTimeoutS = 3600;

// Chosen so that a run takes one to two seconds.
constexpr std::uint32_t kSpinSamples = 1'000'000;
constexpr std::uint32_t kParkSamples = 15'000;
constexpr std::uint64_t kStreamBytes = 1 << 30;
constexpr std::uint64_t kMinStreamSamples = 1'000'000;
constexpr std::uint64_t kMaxStreamSamples = 10'000'000;

constexpr char kUsage[] =
    "kaal-reference --mode spin-pingpong|park-pingpong|stream|probe\n"
    "               --variant index-release|index-seqcst|index-release-ahead|index-seqcst-ahead|slot-release|slot-seqcst|futex\n"
    "               (futex: park-pingpong only)\n"
    "               [--pause] [--payload stamped|filled|block] [--in-place] [--bytes 64] [--slots 256] [--samples N]\n"
    "               [--batch 1] [--block 1000] [--cpus 0,1|none] [--timeout 60]\n"
    "Prints one JSON object on one line. Exit status: 0 measured, 1 failed or out of time, 2 wrong arguments\n";

struct NamedVariant {
  const char* name;
  Variant variant;
};
constexpr NamedVariant kVariants[] = {{"index-release", Variant::kIndexRelease},
                                      {"index-seqcst", Variant::kIndexSeqCst},
                                      {"index-release-ahead", Variant::kIndexReleaseAhead},
                                      {"index-seqcst-ahead", Variant::kIndexSeqCstAhead},
                                      {"slot-release", Variant::kSlotRelease},
                                      {"slot-seqcst", Variant::kSlotSeqCst},
                                      {"futex", Variant::kFutex}};
struct NamedMode {
  const char* name;
  Mode mode;
};
constexpr NamedMode kModes[] = {{"spin-pingpong", Mode::kSpinPingPong},
                                {"park-pingpong", Mode::kParkPingPong},
                                {"stream", Mode::kStream},
                                {"probe", Mode::kProbe}};

struct NamedPayload {
  const char* name;
  Payload payload;
};
constexpr NamedPayload kPayloads[] = {{"stamped", Payload::kStamped},
                                      {"filled", Payload::kFilled},
                                      {"block", Payload::kBlock}};

[[noreturn]] void Refuse(const std::string& problem) {
  std::fprintf(stderr, "kaal-reference: %s\n", problem.c_str());
  std::exit(2);
}

std::uint64_t ParseNumber(const std::string& name, std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    Refuse(name + " is '" + std::string(text) + "'; give a whole number from " + std::to_string(least) + " to " +
           std::to_string(most));
  }
  return value;
}

void ParseCpus(std::string_view text, Options& options) {
  options.pinned = text != "none";
  if (!options.pinned) return;
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) Refuse("--cpus is '" + std::string(text) + "'; give two numbers A,B or none");
  options.parent_cpu = static_cast<int>(ParseNumber("--cpus A", text.substr(0, comma), 0, kMaxCpus - 1));
  options.child_cpu = static_cast<int>(ParseNumber("--cpus B", text.substr(comma + 1), 0, kMaxCpus - 1));
}

template <class Table>
auto Find(const Table& table, const std::string& name, std::string_view text) {
  const auto found = std::find_if(std::begin(table), std::end(table), [&](const auto& e) { return text == e.name; });
  if (found == std::end(table)) Refuse(name + " is '" + std::string(text) + "'; --help lists what there is");
  return *found;
}

void ParseOption(const std::string& name, const char* value, Options& options) {
  const auto number = [&](std::uint64_t least, std::uint64_t most) { return ParseNumber(name, value, least, most); };
  const auto number32 = [&](std::uint64_t least, std::uint64_t most) {
    return static_cast<std::uint32_t>(number(least, most));
  };
  if (name == "--mode") {
    options.mode = Find(kModes, name, value).mode;
    options.mode_name = value;
  } else if (name == "--variant") {
    options.variant = Find(kVariants, name, value).variant;
    options.variant_name = value;
  } else if (name == "--payload") {
    options.payload = Find(kPayloads, name, value).payload;
    options.payload_name = value;
  } else if (name == "--bytes") {
    options.bytes = number(8, kMaxBytes);
  } else if (name == "--slots") {
    options.slots = number32(2, kMaxSlots);
  } else if (name == "--samples") {
    options.samples = number32(1, kMaxSamples);
  } else if (name == "--batch") {
    options.batch = number32(1, kMaxSlots);
  } else if (name == "--block") {
    options.block = number32(1, kMaxSamples);
  } else if (name == "--timeout") {
    options.timeout_s = number32(1, kMaxTimeoutS);
  } else if (name == "--cpus") {
    ParseCpus(value, options);
  } else {
    Refuse("unknown argument '" + name + "'; --help lists what there is");
  }
}

std::uint32_t DefaultSamples(const Options& options) {
  if (options.mode == Mode::kParkPingPong) return kParkSamples;
  if (options.mode == Mode::kSpinPingPong) return kSpinSamples;
  return static_cast<std::uint32_t>(std::clamp(kStreamBytes / options.bytes, kMinStreamSamples, kMaxStreamSamples));
}

// What no single argument shows.
void CheckTogether(const Options& options) {
  const bool park = options.mode == Mode::kParkPingPong;
  if (options.mode_name.empty()) Refuse("--mode is missing; --help lists what there is");
  if (options.SameCpu() && !park) {
    Refuse("--cpus names CPU " + std::to_string(options.child_cpu) + " twice; " + options.mode_name +
           " spins and needs two different ones");
  }
  if (options.mode == Mode::kProbe) return;
  if (options.variant == Variant::kNone) Refuse("--variant is missing; --help lists what there is");
  if (options.variant == Variant::kFutex && !park) {
    Refuse("--variant futex measures parking only; use it with --mode park-pingpong");
  }
  if (options.bytes % 8 != 0) Refuse("--bytes is " + std::to_string(options.bytes) + "; give a multiple of 8");
  if ((options.slots & (options.slots - 1)) != 0) {
    Refuse("--slots is " + std::to_string(options.slots) + "; give a power of two");
  }
  if (options.slots * options.bytes > kMaxRingBytes) {
    Refuse("--slots times --bytes is " + std::to_string(options.slots * options.bytes) + "; give at most " +
           std::to_string(kMaxRingBytes));
  }
  // A consumer keeps up to a quarter of the slots before it gives them back.
  if (options.batch > options.slots / 2) {
    Refuse("--batch is " + std::to_string(options.batch) + "; give at most half of --slots, " +
           std::to_string(options.slots / 2));
  }
  if (options.batch > 1 && options.mode != Mode::kStream) Refuse("--batch is for --mode stream; leave it out");
  if (options.payload_name != "stamped" && options.mode != Mode::kStream) {
    Refuse("--payload " + options.payload_name + " is for --mode stream; leave it out");
  }
  if (options.in_place && options.mode != Mode::kStream) Refuse("--in-place is for --mode stream; leave it out");
}

}  // namespace

Options ParseArgs(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    if (name == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (name == "--pause" || name == "--in-place") {
      (name == "--pause" ? options.pause : options.in_place) = true;
      continue;
    }
    if (i + 1 == argc) Refuse("argument '" + name + "' is unknown or lacks its value; --help lists what there is");
    ParseOption(name, argv[++i], options);
  }
  if (options.samples == 0) options.samples = DefaultSamples(options);
  options.block = std::min(options.block, options.samples);
  CheckTogether(options);
  return options;
}

}  // namespace kaal::reference
