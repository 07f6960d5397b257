// sockets.cc: binding of core/message_socket.h.
#include <cerrno>
#include <climits>

#include "binding/convert.h"
#include "binding/exports.h"
#include "core/message_socket.h"

namespace kaal {

namespace {

constexpr double kNsPerMs = 1e6;

// An empty message cannot be told from the end of the connection.
View<std::uint8_t> ToMessage(const Napi::Value& value) {
  const View<std::uint8_t> message = ToBytes(value, "message");
  if (message.length == 0) throw Napi::RangeError::New(value.Env(), "message has 0 bytes: must have at least 1");
  return message;
}

View<std::uint8_t> ToBuffer(const Napi::Value& value) {
  const View<std::uint8_t> into = ToBytes(value, "into");
  if (into.length == 0) throw Napi::RangeError::New(value.Env(), "into has 0 bytes: must have at least 1");
  return into;
}

Napi::Value CreateSocketPairFromJs(const Napi::CallbackInfo& info) {
  std::pair<UniqueFd, UniqueFd> ends = ValueOrThrow(info.Env(), CreateSocketPair());
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, ends.first.release());
  result.Set(1u, ends.second.release());
  return result;
}

Napi::Value SendMessageFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const View<std::uint8_t> message = ToMessage(info[1]);
  const std::vector<int> fds = ToIntegers(info[2], "fds", kMaxSentFds, INT_MAX);
  return Napi::Boolean::New(
      info.Env(),
      ValueOrThrow(info.Env(), SendMessage(socket, message.data, message.length, fds.data(), fds.size())));
}

Napi::Value ReceiveMessageFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const View<std::uint8_t> into = ToBuffer(info[1]);
  std::optional<Message> message = ValueOrThrow(info.Env(), ReceiveMessage(socket, into.data, into.length));
  if (!message) return info.Env().Undefined();
  Napi::Array fds = Napi::Array::New(info.Env(), message->fds.size());
  for (std::uint32_t i = 0; i < message->fds.size(); ++i) fds.Set(i, message->fds[i].release());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("bytes", static_cast<double>(message->bytes));
  result.Set("fds", fds);
  result.Set("truncated", message->truncated);
  return result;
}

// The answer of `callMessage` and `waitMessage`. Descriptors that came close with `message`.
Napi::Value Awaited(Napi::Env env, TimeNs deadline, int socket, const View<std::uint8_t>& into) {
  const Message message = ValueOrThrow(env, ReceiveMessageBy(deadline, socket, into.data, into.length));
  if (message.truncated) throw NativeError(env, {EMSGSIZE, "recvmsg"});
  return Napi::Number::New(env, static_cast<double>(message.bytes));
}

Napi::Value CallMessageFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const View<std::uint8_t> message = ToMessage(info[1]);
  const View<std::uint8_t> into = ToBuffer(info[2]);
  const TimeNs deadline = DeadlineAfter(ToDuration(info[3], "timeoutMs") * kNsPerMs);
  ValueOrThrow(info.Env(), SendMessageBy(deadline, socket, message.data, message.length));
  return Awaited(info.Env(), deadline, socket, into);
}

Napi::Value WaitMessageFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const View<std::uint8_t> into = ToBuffer(info[1]);
  return Awaited(info.Env(), DeadlineAfter(ToDuration(info[2], "timeoutMs") * kNsPerMs), socket, into);
}

}  // namespace

void ExportSockets(Napi::Env env, Napi::Object exports) {
  Export<CreateSocketPairFromJs>(env, exports, "createSocketPair");
  Export<SendMessageFromJs>(env, exports, "sendMessage");
  Export<ReceiveMessageFromJs>(env, exports, "receiveMessage");
  Export<CallMessageFromJs>(env, exports, "callMessage");
  Export<WaitMessageFromJs>(env, exports, "waitMessage");
}

}  // namespace kaal
