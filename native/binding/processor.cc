// processor.cc: binding of core/cpu.h, core/thread.h and core/tsc.h.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/cpu.h"
#include "core/thread.h"
#include "core/tsc.h"

namespace kaal {

namespace {

Napi::Value AffinityFromJs(const Napi::CallbackInfo& info) {
  const std::vector<int> cpus = ValueOrThrow(info.Env(), Affinity());
  Napi::Array result = Napi::Array::New(info.Env(), cpus.size());
  for (std::uint32_t i = 0; i < cpus.size(); ++i) result.Set(i, cpus[i]);
  return result;
}

void SetAffinityFromJs(const Napi::CallbackInfo& info) {
  const std::vector<int> cpus = ToIntegers(info[0], "cpus", kMaxCpus, kMaxCpus - 1);
  if (cpus.empty()) throw Napi::RangeError::New(info.Env(), "cpus has 0 elements: must name at least one processor");
  ValueOrThrow(info.Env(), SetAffinity(cpus));
}

Napi::Value IsMainThreadFromJs(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), IsMainThread());
}

Napi::Value TscFromJs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(ReadTsc()));
}

Napi::Value TscInfoFromJs(const Napi::CallbackInfo& info) {
  const TscInfo tsc = GetTscInfo();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("constant", tsc.constant);
  result.Set("hz", tsc.hz);
  return result;
}

}  // namespace

void ExportProcessor(Napi::Env env, Napi::Object exports) {
  Export<AffinityFromJs>(env, exports, "affinity");
  Export<SetAffinityFromJs>(env, exports, "setAffinity");
  Export<IsMainThreadFromJs>(env, exports, "isMainThread");
  Export<TscFromJs>(env, exports, "tsc");
  Export<TscInfoFromJs>(env, exports, "tscInfo");
}

}  // namespace kaal
