// addon.cc: the addon's entry, once for each JavaScript thread that loads it.
#include <napi.h>

#include "binding/environment.h"
#include "binding/exports.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new kaal::Environment);
  kaal::ExportMemory(env, exports);
  kaal::ExportFutex(env, exports);
  kaal::ExportSockets(env, exports);
  kaal::ExportEventLoop(env, exports);
  kaal::ExportBells(env, exports);
  kaal::ExportMapper(env, exports);
  kaal::ExportPipes(env, exports);
  kaal::ExportProcesses(env, exports);
  kaal::ExportConfinement(env, exports);
  kaal::ExportFaults(env, exports);
  kaal::ExportProcessor(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(kaal, Init)
