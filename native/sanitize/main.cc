// main.cc: the core without Node under AddressSanitizer and UndefinedBehaviorSanitizer (scripts/check-sanitizers.ts):
// frames, seeded mutated messages with too many descriptors and bytes, futexes, bells and mappings; then fuzz.cc.

#include <dirent.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "core/eventfd.h"
#include "core/futex.h"
#include "core/memfd.h"
#include "core/message_socket.h"
#include "core/vspace.h"
#include "sanitize/expect.h"
#include "sanitize/fuzz.h"

namespace {

using namespace kaal;

int OpenDescriptors() {
  int count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) count++;
  closedir(directory);
  return count;
}

// A receiver has room for fewer bytes and descriptors than a hostile sender can send; the vectors are exact, so one byte
// beyond is a finding.
void Messages(std::mt19937& random, int rounds) {
  auto pair = CreateSocketPair();
  Expect(bool(pair), "a socket pair");
  auto bell = CreateEventFd();
  Expect(bool(bell), "an eventfd");
  int cut = 0, whole = 0;
  for (int round = 0; round < rounds; round++) {
    std::vector<std::uint8_t> sent(1 + random() % 300);
    for (auto& byte : sent) byte = static_cast<std::uint8_t>(random());
    const std::vector<int> fds(random() % 40, bell.value().get());
    std::vector<std::uint8_t> into(1 + random() % 300);
    auto done = SendMessage(pair.value().first.get(), sent.data(), sent.size(), fds.data(), fds.size());
    Expect(done && done.value(), "a message is sent");
    auto received = ReceiveMessage(pair.value().second.get(), into.data(), into.size());
    Expect(received && received.value().has_value(), "a message is received");
    const Message& message = *received.value();
    const bool fits = sent.size() <= into.size() && fds.size() <= kMaxMessageFds;
    Expect(message.truncated == !fits, "cut exactly when something does not fit");
    Expect(message.fds.size() == (fits ? fds.size() : 0), "descriptors of whole messages alone");
    (fits ? whole : cut)++;
  }
  Expect(cut > 0 && whole > 0, "both kinds of message came");
}

void Words() {
  const std::uint32_t word = 7;
  const FutexWord changed{&word, 8};
  auto outcome = FutexWait(&changed, 1, TimeNs{0});
  Expect(outcome && outcome.value() == FutexOutcome::kWoken, "a changed word counts as woken");
  const FutexWord same{&word, 7};
  outcome = FutexWait(&same, 1, TimeNs{0});
  Expect(outcome && outcome.value() == FutexOutcome::kTimedOut, "a past deadline ends the sleep");
  auto woken = FutexWake(&word, 1);
  Expect(woken && woken.value() == 0, "nobody sleeps");
  auto bell = CreateEventFd();
  for (int ring = 0; ring < 1000; ring++) Expect(bool(AddToEventFd(bell.value().get())), "a bell rings");
}

void Pages(std::mt19937& random, int rounds) {
  const std::uint64_t page = PageBytes(), bytes = 256 * page, own = 16 * page;
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Expect(base != MAP_FAILED, "memory");
  Expect(bool(AttachVSpace(base, bytes, own)), "the VSpace attaches");
  auto frame = CreateFrame(4 * page, "sanitized");
  Expect(bool(frame), "a frame");
  int mapped = 0, refused = 0;
  for (int round = 0; round < rounds; round++) {
    // Mostly whole pages, sometimes anything at all.
    std::uint64_t address = random() % 8 == 0 ? (std::uint64_t{random()} << 32 | random()) : random() % 260 * page;
    std::uint64_t length = random() % 8 == 0 ? ~std::uint64_t{0} - random() % 9000 : random() % 6 * page;
    const bool in_bounds = length > 0 && length <= 4 * page && address % page == 0 && length % page == 0 &&
                           address >= own && address <= bytes - length;
    const auto status = MapFrame(address, length, frame.value().get(), kPermissionReadWrite);
    Expect(bool(status) == in_bounds, "mapped exactly when in bounds");
    (status ? mapped : refused)++;
    if (!status) continue;
    static_cast<volatile std::uint8_t*>(base)[address + length - 1] = 1;
    Expect(bool(UnmapFrame(address, length)), "unmapped");
  }
  Expect(mapped > 0 && refused > 0, "both kinds of mapping came");
  ReleaseVSpace();
  munmap(base, bytes);
}

}  // namespace

int main(int count, char** arguments) {
  const unsigned seed = count > 1 ? static_cast<unsigned>(std::strtoul(arguments[1], nullptr, 10)) : 1;
  std::mt19937 random(seed);
  const int before = OpenDescriptors();
  Messages(random, 20000);
  Words();
  Pages(random, 5000);
  Expect(OpenDescriptors() == before, "no descriptor is left");
  FuzzReceived(random, 10);
  std::printf("sanitized: seed %u, 20000 messages, 5000 mappings\n", seed);
}
