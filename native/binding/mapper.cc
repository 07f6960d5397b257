// mapper.cc: binding of core/mapper.h.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/mapper.h"
#include "core/vspace.h"

#include <climits>

namespace kaal {

namespace {

void StartMapperFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const int exit_status = static_cast<int>(ToInteger(info[1], "exitStatus", 0, 255));
  ValueOrThrow(info.Env(), StartMapper(socket, exit_status));
}

Napi::Value SendMapperCommandFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const MapCommand command{ToUint32(info[1], "callId"), ToUint32(info[4], "permissions"), ToSize(info[2], "address"),
                           ToSize(info[3], "bytes")};
  const int frame = static_cast<int>(ToInteger(info[5], "memory", -1, INT_MAX));
  ThrowIf(info.Env(), CheckMapCommand(command, frame));
  return Napi::Boolean::New(info.Env(), ValueOrThrow(info.Env(), SendMapCommand(socket, command, frame)));
}

Napi::Value ReceiveMapperReplyFromJs(const Napi::CallbackInfo& info) {
  const ReceivedReply received = ValueOrThrow(info.Env(), ReceiveMapReply(ToFd(info[0], "fd")));
  if (received.state == ReplyState::kNone) return info.Env().Undefined();
  if (received.state == ReplyState::kGone) return info.Env().Null();
  Napi::Object reply = Napi::Object::New(info.Env());
  reply.Set("callId", received.reply.call_id);
  reply.Set("errno", received.reply.error);
  return reply;
}

}  // namespace

void ExportMapper(Napi::Env env, Napi::Object exports) {
  Export<StartMapperFromJs>(env, exports, "startMapper");
  Export<SendMapperCommandFromJs>(env, exports, "sendMapperCommand");
  Export<ReceiveMapperReplyFromJs>(env, exports, "receiveMapperReply");
}

}  // namespace kaal
