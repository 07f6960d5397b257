// mapper.cc: the component's mapper thread. It is native because the JavaScript thread may be spinning.
#include "core/mapper.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "core/message_socket.h"
#include "core/vspace.h"

namespace kaal {

namespace {

struct Mapper {
  UniqueFd socket;
  int exit_status;
};

int CarryOut(const MapCommand& command, const Message& message) {
  const bool unmap = command.permissions == kPermissionNone;
  if (message.truncated || message.bytes != sizeof(command) || message.fds.size() != (unmap ? 0 : 1)) return EINVAL;
  const Status done = unmap ? UnmapFrame(command.address, command.bytes)
                            : MapFrame(command.address, command.bytes, message.fds[0].get(), command.permissions);
  return done ? 0 : done.error().code;
}

// Serves one command. False when the daemon is gone.
bool Serve(int socket) {
  MapCommand command{};
  Result<Message> received = ReceiveMessageBy(kNever, socket, &command, sizeof(command));
  if (!received || received.value().bytes == 0) return false;
  const MapReply reply{command.call_id, CarryOut(command, received.value())};
  return static_cast<bool>(SendMessageBy(kNever, socket, &reply, sizeof(reply)));
}

void* Run(void* argument) {
  Mapper* const mapper = static_cast<Mapper*>(argument);
  while (Serve(mapper->socket.get())) {
  }
  _exit(mapper->exit_status);
}

}  // namespace

Status StartMapper(int socket, int exit_status) {
  // Owned by the thread, which ends only with the process.
  Mapper* const mapper = new Mapper{UniqueFd(socket), exit_status};
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
  if (command.permissions == kPermissionNone) {
    if (frame < 0) return std::nullopt;
    return "memory is " + std::to_string(frame) + ": must be -1 with permissions 0, which unmaps";
  }
  if (frame < 0) return "memory is " + std::to_string(frame) + ": must be a frame unless permissions is 0";
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
