// confinement.cc: binding of core/confine.h, core/credentials.h and core/sealed_file.h.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/confine.h"
#include "core/credentials.h"
#include "core/sealed_file.h"

namespace kaal {

namespace {

void ConfineProcessFromJs(const Napi::CallbackInfo& info) { ValueOrThrow(info.Env(), ConfineProcess()); }

void HideProcessFromJs(const Napi::CallbackInfo& info) { ValueOrThrow(info.Env(), SetDumpable(false)); }

Napi::Value CreateSealedFileFromJs(const Napi::CallbackInfo& info) {
  const View<std::uint8_t> content = ToBytes(info[0], "content");
  const std::string label = ToText(info[1], "label");
  UniqueFd fd = ValueOrThrow(info.Env(), CreateSealedFile(content.data, content.length, label));
  return Napi::Number::New(info.Env(), fd.release());
}

}  // namespace

void ExportConfinement(Napi::Env env, Napi::Object exports) {
  Export<ConfineProcessFromJs>(env, exports, "confineProcess");
  Export<HideProcessFromJs>(env, exports, "hideProcess");
  Export<CreateSealedFileFromJs>(env, exports, "createSealedFile");
}

}  // namespace kaal
