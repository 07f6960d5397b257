// faults.cc: binding of core/fault.h.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/fault.h"

namespace kaal {

namespace {

Napi::Value ToJs(Napi::Env env, const std::optional<Fault>& fault) {
  if (!fault) return env.Undefined();
  Napi::Object result = Napi::Object::New(env);
  result.Set("address", static_cast<double>(fault->address));
  result.Set("access", fault->write != 0 ? "write" : "read");
  result.Set("threadId", fault->thread_id);
  result.Set("trapped", fault->trapped != 0);
  result.Set("sequence", fault->sequence);
  return result;
}

void InstallFaultHandlerFromJs(const Napi::CallbackInfo& info) {
  ValueOrThrow(info.Env(), InstallFaultHandler(ToFd(info[0], "record")));
}

Napi::Value LastFaultFromJs(const Napi::CallbackInfo& info) { return ToJs(info.Env(), LastFaultOfThread()); }

Napi::Value ReadFaultRecordFromJs(const Napi::CallbackInfo& info) {
  return ToJs(info.Env(), ValueOrThrow(info.Env(), ReadFault(ToFd(info[0], "record"))));
}

}  // namespace

void ExportFaults(Napi::Env env, Napi::Object exports) {
  Export<InstallFaultHandlerFromJs>(env, exports, "installFaultHandler");
  Export<LastFaultFromJs>(env, exports, "lastFault");
  Export<ReadFaultRecordFromJs>(env, exports, "readFaultRecord");
}

}  // namespace kaal
