// mapper.h: mapping commands from the daemon, carried out by a thread of the component. Both ends of the wire format.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

struct MapCommand {
  std::uint32_t call_id;
  std::uint32_t permissions;  // kPermissionNone unmaps; or one of those below
  std::uint64_t address;
  std::uint64_t bytes;
};

// In place of permissions: hangs the bell that comes with the command at `address` (core/bells.h), or takes those of the
// range away, as unmapping it does as well.
constexpr std::uint32_t kHangOwnBell = 16;
constexpr std::uint32_t kHangPeersBell = 32;
constexpr std::uint32_t kTakeBells = 64;

struct MapReply {
  std::uint32_t call_id;
  std::int32_t error;  // 0 or an errno
};

// What a component is told when the daemon's end is gone, and when. Each step changes those words of the page of status
// words at `address` that hold `from`, and wakes who sleeps on them or in an event loop.
struct DaemonEnd {
  struct Step {
    TimeNs after;  // the daemon's end
    std::uint32_t from;
    std::uint32_t to;
  };
  std::uint64_t address;
  std::vector<Step> steps;  // in the order of their times
  TimeNs exit_after;
};

// Component: starts the thread, which owns `socket` from then on. When the daemon's end is gone it takes the steps of
// `end` and then ends the process with `exit_status`: a component that nobody can revoke from must not go on.
Status StartMapper(int socket, int exit_status, DaemonEnd end);

// Daemon: says why `command` is none: mapping needs a frame, hanging a bell an eventfd, the others (`frame` -1) neither.
Refusal CheckMapCommand(const MapCommand& command, int frame);

// Daemon: false when the socket is full.
Result<bool> SendMapCommand(int socket, const MapCommand& command, int frame);

enum class ReplyState { kReceived, kNone, kGone };
struct ReceivedReply {
  ReplyState state;  // kGone also for an answer that is none
  MapReply reply;
};

// Daemon: never blocks.
Result<ReceivedReply> ReceiveMapReply(int socket);

}  // namespace kaal
