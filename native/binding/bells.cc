// bells.cc: binding of core/bells.h and core/eventfd.h.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "core/bells.h"
#include "core/eventfd.h"

namespace kaal {

namespace {

Napi::Value CreateEventFdFromJs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), CreateEventFd()).release());
}

void AddToEventFdFromJs(const Napi::CallbackInfo& info) {
  ValueOrThrow(info.Env(), AddToEventFd(ToFd(info[0], "fd")));
}

BellSet& BellsOfThread(Napi::Env env) {
  Environment* const environment = env.GetInstanceData<Environment>();
  if (environment->bells == nullptr) environment->bells = ValueOrThrow(env, BellSet::Create());
  return *environment->bells;
}

Napi::Value BellSetFdFromJs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), BellsOfThread(info.Env()).fd());
}

Napi::Value CollectBellsFromJs(const Napi::CallbackInfo& info) {
  const View<std::uint32_t> into = ToWords(info[0], "into");
  const std::size_t count = ValueOrThrow(info.Env(), BellsOfThread(info.Env()).Collect(into.data, into.length));
  return Napi::Number::New(info.Env(), static_cast<double>(count));
}

void HangBellFromJs(const Napi::CallbackInfo& info) {
  const std::uint32_t address = ToUint32(info[0], "address");
  const BellKind kind = ToInteger(info[1], "whose", 0, 1) == 0 ? BellKind::kOwn : BellKind::kPeer;
  HangBell(address, kind, UniqueFd(ToFd(info[2], "fd")));
}

void TakeBellsFromJs(const Napi::CallbackInfo& info) { TakeBells(ToSize(info[0], "address"), ToSize(info[1], "bytes")); }

Napi::Value ListenToBellFromJs(const Napi::CallbackInfo& info) {
  const std::uint32_t address = ToUint32(info[0], "address");
  return Napi::Boolean::New(info.Env(),
                            ValueOrThrow(info.Env(), ListenToBell(BellsOfThread(info.Env()), address)));
}

Napi::Value RingPeersBellFromJs(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), ValueOrThrow(info.Env(), RingPeersBell(ToUint32(info[0], "address"))));
}

}  // namespace

void ExportBells(Napi::Env env, Napi::Object exports) {
  Export<CreateEventFdFromJs>(env, exports, "createEventFd");
  Export<AddToEventFdFromJs>(env, exports, "addToEventFd");
  Export<BellSetFdFromJs>(env, exports, "bellSetFd");
  Export<CollectBellsFromJs>(env, exports, "collectBells");
  Export<HangBellFromJs>(env, exports, "hangBell");
  Export<TakeBellsFromJs>(env, exports, "takeBells");
  Export<ListenToBellFromJs>(env, exports, "listenToBell");
  Export<RingPeersBellFromJs>(env, exports, "ringPeersBell");
}

}  // namespace kaal
