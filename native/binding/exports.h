// exports.h: the parts of the addon. Each adds its functions, as native/index.ts declares them.
#pragma once

#include <napi.h>

namespace kaal {

void ExportMemory(Napi::Env env, Napi::Object exports);
void ExportFutex(Napi::Env env, Napi::Object exports);
void ExportSockets(Napi::Env env, Napi::Object exports);
void ExportEventLoop(Napi::Env env, Napi::Object exports);
void ExportBells(Napi::Env env, Napi::Object exports);
void ExportMapper(Napi::Env env, Napi::Object exports);
void ExportPipes(Napi::Env env, Napi::Object exports);
void ExportProcesses(Napi::Env env, Napi::Object exports);
void ExportConfinement(Napi::Env env, Napi::Object exports);
void ExportFaults(Napi::Env env, Napi::Object exports);
void ExportProcessor(Napi::Env env, Napi::Object exports);

template <auto function>
void Export(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
}

}  // namespace kaal
