// futex.cc: binding of core/futex.h to words of the attached memory.
#include "binding/convert.h"
#include "binding/exports.h"
#include "core/futex.h"
#include "core/vspace.h"

#include <climits>

namespace kaal {

namespace {

Napi::Value FutexWaitFromJs(const Napi::CallbackInfo& info) {
  const View<std::uint32_t> pairs = ToWords(info[0], "words");
  const std::size_t count = static_cast<std::size_t>(ToInteger(info[1], "count", 1, kMaxFutexWords));
  const TimeNs deadline = DeadlineAfter(ToDuration(info[2], "timeoutNs"));
  if (pairs.length / 2 < count) {
    throw Napi::RangeError::New(info.Env(), "words holds " + std::to_string(pairs.length / 2) +
                                                " pairs: must hold count, " + std::to_string(count));
  }
  FutexWord words[kMaxFutexWords];
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t address = pairs.data[2 * i];
    ThrowIf(info.Env(), CheckWord(address));
    words[i] = {WordAt(address), pairs.data[2 * i + 1]};
  }
  const FutexOutcome outcome = ValueOrThrow(info.Env(), FutexWait(words, count, deadline));
  return Napi::Number::New(info.Env(), static_cast<int>(outcome));
}

Napi::Value FutexWakeFromJs(const Napi::CallbackInfo& info) {
  const std::uint64_t address = ToSize(info[0], "address");
  // From 1: Linux takes 0 for 1.
  const int count = static_cast<int>(ToInteger(info[1], "count", 1, INT_MAX));
  ThrowIf(info.Env(), CheckWord(address));
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), FutexWake(WordAt(address), count)));
}

}  // namespace

void ExportFutex(Napi::Env env, Napi::Object exports) {
  Export<FutexWaitFromJs>(env, exports, "futexWait");
  Export<FutexWakeFromJs>(env, exports, "futexWake");
}

}  // namespace kaal
