// processes.cc: binding of core/process.h.
#include <climits>

#include "binding/convert.h"
#include "binding/exports.h"
#include "core/process.h"
#include "core/signals.h"

namespace kaal {

namespace {

constexpr std::size_t kMaxChildFds = 256;

Napi::Value SpawnFromJs(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) throw Napi::TypeError::New(info.Env(), "options is not an object: must be SpawnOptions");
  const Napi::Object options = info[0].As<Napi::Object>();
  SpawnPlan plan{ToText(options.Get("file"), "file"), ToTexts(options.Get("argv"), "argv"),
                 ToTexts(options.Get("env"), "env"), ToIntegers(options.Get("fds"), "fds", kMaxChildFds, INT_MAX),
                 options.Get("namespaces").ToBoolean()};
  Child child = ValueOrThrow(info.Env(), Spawn(std::move(plan)));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", child.pid);
  result.Set("pidfd", child.pidfd.release());
  return result;
}

Napi::Value ReapFromJs(const Napi::CallbackInfo& info) {
  // From 1: zero and below would mean groups of processes to Linux.
  const pid_t pid = static_cast<pid_t>(ToInteger(info[0], "pid", 1, INT_MAX));
  const std::optional<Ending> ending = ValueOrThrow(info.Env(), Reap(pid));
  if (!ending) return info.Env().Undefined();
  Napi::Object result = Napi::Object::New(info.Env());
  if (ending->signalled) {
    result.Set("signal", SignalName(ending->number));
  } else {
    result.Set("code", ending->number);
  }
  return result;
}

Napi::Value SendSignalFromJs(const Napi::CallbackInfo& info) {
  const int pidfd = ToFd(info[0], "pidfd");
  const std::string name = ToText(info[1], "signal");
  const int signal = SignalNumber(name);
  if (signal == 0) {
    throw Napi::RangeError::New(info.Env(), "signal is " + name + ": must be the name of a signal, such as SIGTERM");
  }
  return Napi::Boolean::New(info.Env(), ValueOrThrow(info.Env(), SendSignal(pidfd, signal)));
}

}  // namespace

void ExportProcesses(Napi::Env env, Napi::Object exports) {
  Export<SpawnFromJs>(env, exports, "spawn");
  Export<ReapFromJs>(env, exports, "reap");
  Export<SendSignalFromJs>(env, exports, "sendSignal");
}

}  // namespace kaal
