// message_socket.cc: SOCK_SEQPACKET pairs with SCM_RIGHTS, unix(7). Readiness is always asked of poll(2): whether the
// descriptor itself blocks is not ours to say, since libuv changes that for descriptors that it watches.
#include "core/message_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace kaal {

namespace {

template <std::size_t kFds>
struct alignas(cmsghdr) ControlBuffer {
  char bytes[CMSG_SPACE(sizeof(int) * kFds)] = {};
};

std::vector<UniqueFd> TakeDescriptors(msghdr& header) {
  std::vector<UniqueFd> fds;
  fds.reserve(kMaxMessageFds);
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
  return fds;
}

// Between two tries, while Linux has no memory for us.
void Pause() {
  constexpr timespec kPause{0, 1'000'000};
  nanosleep(&kPause, nullptr);
}

// Waits for `events`; errors and hang-ups count as readiness, the call that follows reports them.
Status WaitFor(short events, TimeNs deadline, int socket) {
  pollfd entry{socket, events, 0};
  for (;;) {
    const timespec remaining = ToTimespec(deadline == kNever ? 0 : RemainingNs(deadline));
    const int ready = ppoll(&entry, 1, deadline == kNever ? nullptr : &remaining, nullptr);
    if (ready > 0) return Ok{};
    if (ready == 0) return OsError{ETIMEDOUT, "poll"};
    if (errno == ENOMEM) Pause();
    else if (errno != EINTR) return OsError{errno, "poll"};
  }
}

}  // namespace

Result<std::pair<UniqueFd, UniqueFd>> CreateSocketPair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return OsError{errno, "socketpair"};
  return std::make_pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

Result<bool> SendMessage(int socket, const void* data, std::size_t bytes, const int* fds, std::size_t fd_count) {
  iovec part{const_cast<void*>(data), bytes};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ControlBuffer<kMaxSentFds> control;
  if (fd_count > 0) {
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    std::memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
  }
  for (;;) {
    if (sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    if (errno == EAGAIN) return false;
    // ECONNRESET tells once that the peer left messages unread; asked again, the socket says EPIPE, as it always does.
    if (errno != EINTR && errno != ECONNRESET) return OsError{errno, "sendmsg"};
  }
}

Result<std::optional<Message>> ReceiveMessage(int socket, void* into, std::size_t capacity) {
  iovec part{into, capacity};
  ControlBuffer<kMaxMessageFds> control;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ssize_t received;
  do {
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof(control.bytes);
    received = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    // ECONNRESET tells once that the peer went without reading all; what it sent before is still to be received.
  } while (received < 0 && (errno == EINTR || errno == ECONNRESET));
  if (received < 0) {
    // Short of memory, Linux leaves the message where it is.
    if (errno == EAGAIN || errno == ENOMEM) return std::optional<Message>();
    return OsError{errno, "recvmsg"};
  }
  Message message;
  message.bytes = static_cast<std::size_t>(received);
  message.fds = TakeDescriptors(header);
  message.truncated = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  if (message.truncated) message.fds.clear();
  return std::optional<Message>(std::move(message));
}

Status SendMessageBy(TimeNs deadline, int socket, const void* data, std::size_t bytes) {
  for (;;) {
    Result<bool> sent = SendMessage(socket, data, bytes, nullptr, 0);
    if (!sent) return sent.error();
    if (sent.value()) return Ok{};
    if (Status ready = WaitFor(POLLOUT, deadline, socket); !ready) return ready;
  }
}

Result<Message> ReceiveMessageBy(TimeNs deadline, int socket, void* into, std::size_t capacity) {
  for (;;) {
    if (Status ready = WaitFor(POLLIN, deadline, socket); !ready) return ready.error();
    Result<std::optional<Message>> received = ReceiveMessage(socket, into, capacity);
    if (!received) return received.error();
    if (received.value()) return std::move(*received.value());
    // Ready and yet nothing.
    Pause();
  }
}

}  // namespace kaal
