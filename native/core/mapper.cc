// mapper.cc: the component's mapper thread. It is native because the JavaScript thread may be spinning.
#include "core/mapper.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "core/bells.h"
#include "core/futex.h"
#include "core/memfd.h"
#include "core/message_socket.h"
#include "core/vspace.h"

namespace kaal {

namespace {

constexpr TimeNs kTryAgainNs = 1'000'000;

struct Mapper {
  UniqueFd socket;
  int exit_status;
  DaemonEnd end;
};

bool TakesDescriptor(const MapCommand& command) {
  return command.permissions != kPermissionNone && command.permissions != kTakeBells;
}

int CarryOut(const MapCommand& command, Message& message) {
  const std::size_t fds = TakesDescriptor(command) ? 1 : 0;
  if (message.truncated || message.bytes != sizeof(command) || message.fds.size() != fds) return EINVAL;
  Status done = Ok{};
  switch (command.permissions) {
    case kHangOwnBell:
    case kHangPeersBell:
      if (command.address > UINT32_MAX) return EINVAL;
      HangBell(static_cast<std::uint32_t>(command.address),
               command.permissions == kHangOwnBell ? BellKind::kOwn : BellKind::kPeer, std::move(message.fds[0]));
      break;
    case kTakeBells:
      TakeBells(command.address, command.bytes);
      break;
    case kPermissionNone:
      done = UnmapFrame(command.address, command.bytes);
      // Afterwards, so that whoever is told of it finds the pages gone as well.
      if (done) TakeBells(command.address, command.bytes);
      break;
    default:
      done = MapFrame(command.address, command.bytes, message.fds[0].get(), command.permissions);
  }
  return done ? 0 : done.error().code;
}

void SleepUntil(TimeNs time) {
  const timespec at = ToTimespec(time);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

// False when the daemon is gone. It waits for the answer, so a shortage of memory must not pass for its end.
bool Answer(int socket, const MapReply& reply) {
  for (;;) {
    const Status sent = SendMessageBy(kNever, socket, &reply, sizeof(reply));
    if (sent) return true;
    if (sent.error().code != ENOMEM && sent.error().code != ENOBUFS) return false;
    SleepUntil(NowNs() + kTryAgainNs);
  }
}

// Serves one command. False when the daemon is gone.
bool Serve(int socket) {
  MapCommand command{};
  Result<Message> received = ReceiveMessageBy(kNever, socket, &command, sizeof(command));
  if (!received || received.value().bytes == 0) return false;
  const MapReply reply{command.call_id, CarryOut(command, received.value())};
  return Answer(socket, reply);
}

// `shared` is what stood in the words' place before: who slept then sleeps there.
void ChangeWords(std::uint32_t* words, const std::uint32_t* shared, std::uint32_t from, std::uint32_t to) {
  for (std::size_t word = 0; word < PageBytes() / sizeof(*words); ++word) {
    std::uint32_t seen = from;
    // ORDER status: as the kernel's own store of a status; isLive() loads it.
    if (!__atomic_compare_exchange_n(&words[word], &seen, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    (void)FutexWake(&words[word], INT_MAX);
    (void)FutexWake(&shared[word], INT_MAX);
  }
}

// Where the words cannot be changed, the process ends in time all the same.
void EndWithDaemon(const DaemonEnd& end) {
  const TimeNs ended = NowNs();
  const std::uint32_t* shared = nullptr;
  for (const DaemonEnd::Step& step : end.steps) {
    SleepUntil(ended + step.after);
    if (shared == nullptr) {
      Result<std::uint32_t*> page = OwnPage(end.address);
      if (!page) break;
      shared = page.value();
    }
    ChangeWords(WordAt(end.address), shared, step.from, step.to);
    RingOwnBells();
  }
  SleepUntil(ended + end.exit_after);
}

void* Run(void* argument) {
  Mapper* const mapper = static_cast<Mapper*>(argument);
  while (Serve(mapper->socket.get())) {
  }
  EndWithDaemon(mapper->end);
  _exit(mapper->exit_status);
}

}  // namespace

Status StartMapper(int socket, int exit_status, DaemonEnd end) {
  // Owned by the thread, which ends only with the process.
  Mapper* const mapper = new Mapper{UniqueFd(socket), exit_status, std::move(end)};
  // Signals are for the JavaScript threads; a new thread inherits the mask of its creator.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, Run, mapper);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    mapper->socket.release();
    delete mapper;
    return OsError{error, "pthread_create"};
  }
  pthread_setname_np(thread, "kaal-mapper");
  pthread_detach(thread);
  return Ok{};
}

Refusal CheckMapCommand(const MapCommand& command, int frame) {
  if (!TakesDescriptor(command)) {
    if (frame < 0) return std::nullopt;
    return "memory is " + std::to_string(frame) + ": must be -1 with permissions " +
           std::to_string(command.permissions) + ", which takes away";
  }
  if (frame < 0) return "memory is " + std::to_string(frame) + ": must be a frame unless permissions is 0";
  if (command.permissions == kHangOwnBell || command.permissions == kHangPeersBell) return std::nullopt;
  return CheckPermissions(command.permissions);
}

Result<bool> SendMapCommand(int socket, const MapCommand& command, int frame) {
  return SendMessage(socket, &command, sizeof(command), &frame, frame < 0 ? 0 : 1);
}

Result<ReceivedReply> ReceiveMapReply(int socket) {
  ReceivedReply result{ReplyState::kReceived, {}};
  Result<std::optional<Message>> received = ReceiveMessage(socket, &result.reply, sizeof(result.reply));
  if (!received) return received.error();
  if (!received.value()) {
    result.state = ReplyState::kNone;
  } else if (const Message& message = *received.value();
             message.truncated || message.bytes != sizeof(result.reply) || !message.fds.empty()) {
    result.state = ReplyState::kGone;
  }
  return result;
}

}  // namespace kaal
