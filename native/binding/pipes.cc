// pipes.cc: binding of core/pipe.h.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/pipe.h"

namespace kaal {

namespace {

Napi::Value CreatePipeFromJs(const Napi::CallbackInfo& info) {
  std::pair<UniqueFd, UniqueFd> ends = ValueOrThrow(info.Env(), CreatePipe());
  Napi::Array result = Napi::Array::New(info.Env(), 2);
  result.Set(0u, ends.first.release());
  result.Set(1u, ends.second.release());
  return result;
}

Napi::Value OpenNothingFromJs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), OpenNothing()).release());
}

}  // namespace

void ExportPipes(Napi::Env env, Napi::Object exports) {
  Export<CreatePipeFromJs>(env, exports, "createPipe");
  Export<OpenNothingFromJs>(env, exports, "openNothing");
}

}  // namespace kaal
