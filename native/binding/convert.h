// convert.h: JavaScript values to C++ and back. What does not fit throws a TypeError or RangeError naming the argument;
// what Linux refuses throws a NativeError.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace kaal {

// A view into a typed array, valid during the call.
template <typename Element>
struct View {
  Element* data;
  std::size_t length;
};

constexpr double kMaxSafeInteger = 9007199254740991.0;

// A whole number from `min` to `max`.
double ToInteger(const Napi::Value& value, const char* name, double min, double max);

// A number that may be infinite but not NaN.
double ToDuration(const Napi::Value& value, const char* name);

int ToFd(const Napi::Value& value, const char* name);
// 0 to 2^53 - 1: addresses and lengths.
std::uint64_t ToSize(const Napi::Value& value, const char* name);
std::uint32_t ToUint32(const Napi::Value& value, const char* name);

// Text without a zero byte, which would end it early for Linux.
std::string ToText(const Napi::Value& value, const char* name);
std::vector<std::string> ToTexts(const Napi::Value& value, const char* name);

// At most `max` elements, each from 0 to `max_element`.
std::vector<int> ToIntegers(const Napi::Value& value, const char* name, std::size_t max, double max_element);

View<std::uint8_t> ToBytes(const Napi::Value& value, const char* name);
View<std::uint32_t> ToWords(const Napi::Value& value, const char* name);

// An error with the properties code, errno and syscall.
Napi::Error NativeError(Napi::Env env, const OsError& error);

// Throws where there is something to throw.
void ThrowIf(Napi::Env env, const Refusal& refusal);

template <typename T>
T& ValueOrThrow(Napi::Env env, Result<T>& result) {
  if (!result) throw NativeError(env, result.error());
  return result.value();
}

template <typename T>
T ValueOrThrow(Napi::Env env, Result<T>&& result) {
  return std::move(ValueOrThrow(env, result));
}

}  // namespace kaal
