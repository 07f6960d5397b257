// fuzz.cc: an input is which reader gets it, how many descriptors of which kind, and bytes. Those that run something new in the
// core are kept, and mutated further.
#include "sanitize/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/bells.h"
#include "core/clock.h"
#include "core/eventfd.h"
#include "core/fault.h"
#include "core/mapper.h"
#include "core/memfd.h"
#include "core/message_socket.h"
#include "core/vspace.h"
#include "sanitize/expect.h"

namespace {

using namespace kaal;
using Input = std::vector<std::uint8_t>;

constexpr std::size_t kPlaces = 1 << 16;
// One for each place in the code, by its address: plain stores, for a lost one only costs guidance.
std::array<volatile std::uint8_t, kPlaces> visited;

}  // namespace

// Called by the instrumented core at each branch.
extern "C" void __sanitizer_cov_trace_pc() {
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  visited[(place ^ place >> 16) % kPlaces] = 1;
}

namespace {

constexpr std::size_t kHead = 3;
constexpr std::size_t kMostBytes = 2048;
constexpr TimeNs kPatience = 5'000'000'000;
constexpr std::uint64_t kVSpacePages = 64, kOwnPages = 8, kFramePages = 4;

// What the readers need. The mapper thread is this process's own, as a component's.
class World {
 public:
  World() : commands_(Made(CreateSocketPair())), replies_(Made(CreateSocketPair())) {
    page_ = PageBytes();
    const std::uint64_t bytes = kVSpacePages * page_;
    base_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Expect(base_ != MAP_FAILED, "memory");
    Expect(bool(AttachVSpace(base_, bytes, kOwnPages * page_)), "the VSpace attaches");
    frame_ = Made(CreateFrame(kFramePages * page_, "fuzzed"));
    record_ = Made(CreateFrame(page_, "fuzzed-record"));
    bell_ = Made(CreateEventFd());
    Expect(bool(StartMapper(commands_.second.release(), 77, DaemonEnd{0, {}, 0})), "the mapper starts");
  }

  // Ends in time, whatever the input is.
  void Run(const Input& input) {
    switch (input[0] % 4) {
      case 0:
        return Command(input);
      case 1:
        return Reply(input);
      case 2:
        return Record(input);
      default:
        return Whole(input);
    }
  }

 private:
  template <typename T>
  static T Made(Result<T> result) {
    Expect(bool(result), "what the fuzzer needs");
    return std::move(result.value());
  }

  void Send(int socket, const Input& input) {
    const int kinds[] = {frame_.get(), bell_.get(), socket};
    const std::vector<int> fds(input[1] % 40, kinds[input[2] % 3]);
    auto sent = SendMessage(socket, input.data() + kHead, input.size() - kHead, fds.data(), fds.size());
    Expect(sent && sent.value(), "a message is sent");
  }

  // The mapper thread answers every message, and says no to what is no command.
  void Command(const Input& input) {
    Send(commands_.first.get(), input);
    MapReply reply{};
    auto received = ReceiveMessageBy(NowNs() + kPatience, commands_.first.get(), &reply, sizeof(reply));
    Expect(received && received.value().bytes == sizeof(reply), "the mapper answers in time");
    MapCommand command{};
    const std::size_t bytes = input.size() - kHead;
    std::memcpy(&command, input.data() + kHead, std::min(bytes, sizeof(command)));
    if (reply.error == 0) {
      Expect(bytes == sizeof(command) && input[1] % 40 <= 1, "only whole commands are carried out");
      if (command.permissions == kPermissionRead || command.permissions == kPermissionReadWrite) Touch(command);
    }
    if (bytes >= sizeof(command.call_id)) Expect(reply.call_id == command.call_id, "the answer names its command");
    TakeBells(0, UINT64_MAX);
    Expect(bool(UnmapFrame(kOwnPages * page_, (kVSpacePages - kOwnPages) * page_)), "all is unmapped");
  }

  // What was mapped lies behind private memory, and not beyond the frame.
  void Touch(const MapCommand& command) {
    const std::uint64_t end = kVSpacePages * page_;
    Expect(command.address >= kOwnPages * page_ && command.address < end, "mapped in the VSpace");
    Expect(command.bytes > 0 && command.bytes <= std::min(end - command.address, kFramePages * page_), "no more than there is");
    const auto* place = static_cast<volatile std::uint8_t*>(base_) + command.address;
    for (std::uint64_t at = 0; at < command.bytes; at += page_) (void)place[at];
  }

  // The daemon reads what a component answers.
  void Reply(const Input& input) {
    Send(replies_.first.get(), input);
    auto received = ReceiveMapReply(replies_.second.get());
    Expect(bool(received), "an answer is read");
    const bool whole = input.size() - kHead == sizeof(MapReply) && input[1] % 40 == 0;
    Expect(received.value().state == (whole ? ReplyState::kReceived : ReplyState::kGone), "only whole answers count");
  }

  // The daemon reads the page that a dead component wrote.
  void Record(const Input& input) {
    const auto bytes = static_cast<ssize_t>(input.size() - kHead);
    Expect(pwrite(record_.get(), input.data() + kHead, bytes, input[1] * 8) == bytes, "the page is written");
    Expect(bool(ReadFault(record_.get())), "the page is read");
  }

  // The vector is exact, so one byte beyond it is a finding.
  void Whole(const Input& input) {
    std::vector<std::uint8_t> into(1 + input[2]);
    Send(replies_.first.get(), input);
    auto received = ReceiveMessage(replies_.second.get(), into.data(), into.size());
    Expect(received && received.value().has_value(), "a message is received");
    Expect(!received.value()->truncated || received.value()->fds.empty(), "nothing of a message that was cut");
  }

  std::uint64_t page_ = 0;
  void* base_ = nullptr;
  std::pair<UniqueFd, UniqueFd> commands_, replies_;
  UniqueFd frame_, record_, bell_;
};

Input CommandOf(std::uint8_t fds, std::uint32_t permissions, std::uint64_t address, std::uint64_t bytes) {
  const MapCommand command{7, permissions, address, bytes};
  Input input{0, fds, static_cast<std::uint8_t>(permissions > kPermissionReadWrite ? 1 : 0)};
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&command);
  input.insert(input.end(), raw, raw + sizeof(command));
  return input;
}

Input Mutated(std::mt19937& random, Input input) {
  for (unsigned changes = 1u << random() % 4; changes > 0; changes--) {
    const std::size_t at = random() % input.size();
    switch (random() % 5) {
      case 0:
        input[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
        break;
      case 1:
        input[at] = static_cast<std::uint8_t>(random());
        break;
      case 2:
        if (input.size() > kHead + 1) input.resize(kHead + 1 + random() % (input.size() - kHead));
        break;
      case 3:
        input.resize(std::min(kMostBytes, input.size() + 1 + random() % 32));
        break;
      default: {
        const std::uint64_t edges[] = {0, 1, 3, 16, 4096, 8 * 4096, 64 * 4096, 1ull << 32, ~0ull, ~0ull - 4095};
        const std::size_t bytes = std::min<std::size_t>(8, input.size() - at);
        std::memcpy(input.data() + at, &edges[random() % 10], bytes);
      }
    }
  }
  return input;
}

// True when the last run was anywhere for the first time.
bool Gained(std::array<bool, kPlaces>& seen) {
  bool gained = false;
  for (std::size_t place = 0; place < kPlaces; place++) {
    if (visited[place] == 0) continue;
    visited[place] = 0;
    gained |= !seen[place];
    seen[place] = true;
  }
  return gained;
}

}  // namespace

void FuzzReceived(std::mt19937& random, int seconds) {
  // Never destroyed: where the socket's end goes, the mapper thread ends the process.
  static World& world = *new World;
  static std::array<bool, kPlaces> seen{};
  const std::uint64_t page = PageBytes();
  std::vector<Input> corpus{
      CommandOf(1, kPermissionReadWrite, 8 * page, page), CommandOf(0, kPermissionNone, 8 * page, page),
      CommandOf(1, kHangOwnBell, 8 * page, 0), CommandOf(0, kTakeBells, 8 * page, page),
      Input(kHead + sizeof(MapReply), 1), Input(kHead + 8 + sizeof(Fault), 2), Input(kHead + 40, 3)};
  const std::size_t seeds = corpus.size();
  for (const Input& input : corpus) world.Run(input);
  Gained(seen);
  long runs = 0;
  for (const TimeNs end = NowNs() + seconds * 1'000'000'000ull; NowNs() < end; runs++) {
    Input input = Mutated(random, corpus[random() % corpus.size()]);
    world.Run(input);
    if (Gained(seen)) corpus.push_back(std::move(input));
  }
  Expect(corpus.size() > seeds, "coverage leads to something");
  const auto places = std::count(seen.begin(), seen.end(), true);
  std::printf("fuzzed: %ld messages, %zu of them new, %ld places\n", runs, corpus.size() - seeds, static_cast<long>(places));
}
