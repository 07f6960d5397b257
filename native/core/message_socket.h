// message_socket.h: pairs of sockets that carry whole messages and file descriptors between two processes.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/unique_fd.h"

namespace kaal {

// What is received; a message with more arrives cut.
constexpr std::size_t kMaxMessageFds = 16;
// What can be sent is Linux's to say: 253, and EINVAL for this many.
constexpr std::size_t kMaxSentFds = 254;

struct Message {
  std::size_t bytes = 0;  // 0: the other side is gone
  std::vector<UniqueFd> fds;
  bool truncated = false;  // bytes or descriptors were cut off; all descriptors are closed
};

Result<std::pair<UniqueFd, UniqueFd>> CreateSocketPair();

// Never blocks: false when the socket is full. `bytes` is at least 1, `fd_count` at most kMaxSentFds.
// EPIPE: the other side is gone.
Result<bool> SendMessage(int socket, const void* data, std::size_t bytes, const int* fds, std::size_t fd_count);

// Never blocks: nothing when there is no message.
Result<std::optional<Message>> ReceiveMessage(int socket, void* into, std::size_t capacity);

// The same, blocking until done. ETIMEDOUT: the deadline passed.
Status SendMessageBy(TimeNs deadline, int socket, const void* data, std::size_t bytes);
Result<Message> ReceiveMessageBy(TimeNs deadline, int socket, void* into, std::size_t capacity);

}  // namespace kaal
