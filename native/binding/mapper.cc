// mapper.cc: binding of core/mapper.h.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/mapper.h"
#include "core/vspace.h"

#include <climits>
#include <utility>

namespace kaal {

namespace {

TimeNs ToDelay(const Napi::Value& milliseconds) {
  return static_cast<TimeNs>(ToInteger(milliseconds, "daemonEnd's milliseconds", 0, INT_MAX)) * 1'000'000;
}

void StartMapperFromJs(const Napi::CallbackInfo& info) {
  const int socket = ToFd(info[0], "fd");
  const int exit_status = static_cast<int>(ToInteger(info[1], "exitStatus", 0, 255));
  if (!info[2].IsObject()) throw Napi::TypeError::New(info.Env(), "daemonEnd is not an object: must be a DaemonEnd");
  const Napi::Object options = info[2].As<Napi::Object>();
  DaemonEnd end{ToSize(options.Get("address"), "daemonEnd.address"), {}, ToDelay(options.Get("exitAfterMs"))};
  const Napi::Value steps = options.Get("steps");
  if (!steps.IsArray()) throw Napi::TypeError::New(info.Env(), "daemonEnd.steps is not an array");
  for (std::uint32_t at = 0; at < steps.As<Napi::Array>().Length(); ++at) {
    const Napi::Value step = steps.As<Napi::Array>().Get(at);
    if (!step.IsObject()) throw Napi::TypeError::New(info.Env(), "daemonEnd.steps holds what is no object");
    const Napi::Object fields = step.As<Napi::Object>();
    end.steps.push_back({ToDelay(fields.Get("afterMs")), ToUint32(fields.Get("from"), "from"),
                         ToUint32(fields.Get("to"), "to")});
  }
  ValueOrThrow(info.Env(), StartMapper(socket, exit_status, std::move(end)));
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
