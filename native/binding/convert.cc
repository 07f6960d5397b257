// convert.cc: the checks at the border between JavaScript and C++.
#include "binding/convert.h"

#include <climits>
#include <cmath>
#include <cstring>

#include "core/errno_name.h"

namespace kaal {

namespace {

// As JavaScript writes it: "4097", "-1", "0.5", "[object Object]".
std::string Shown(const Napi::Value& value) {
  return value.IsSymbol() ? "a symbol" : value.ToString().Utf8Value();
}

[[noreturn]] void ThrowType(const Napi::Value& value, const char* name, const std::string& wanted) {
  throw Napi::TypeError::New(value.Env(), std::string(name) + " is " + Shown(value) + ": must be " + wanted);
}

[[noreturn]] void ThrowRange(const Napi::Value& value, const char* name, const std::string& wanted) {
  throw Napi::RangeError::New(value.Env(), std::string(name) + " is " + Shown(value) + ": must be " + wanted);
}

std::string WholeNumber(double number) { return std::to_string(static_cast<std::int64_t>(number)); }

Napi::Array ToArray(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) ThrowType(value, name, "an array");
  return value.As<Napi::Array>();
}

// By the C interface, because the array lies over a SharedArrayBuffer, which node-addon-api takes for a mistake.
template <typename Element>
View<Element> ToView(const Napi::Value& value, const char* name, napi_typedarray_type wanted, const char* wanted_name) {
  if (!value.IsTypedArray()) ThrowType(value, name, wanted_name);
  napi_typedarray_type type;
  std::size_t length;
  void* data;
  napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (type != wanted) ThrowType(value, name, wanted_name);
  return {static_cast<Element*>(data), length};
}

}  // namespace

double ToInteger(const Napi::Value& value, const char* name, double min, double max) {
  if (!value.IsNumber()) ThrowType(value, name, "a whole number");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::trunc(number) != number || number < min || number > max) {
    ThrowRange(value, name, "a whole number from " + WholeNumber(min) + " to " + WholeNumber(max));
  }
  return number;
}

double ToDuration(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) ThrowType(value, name, "a number, Infinity for no limit");
  const double number = value.As<Napi::Number>().DoubleValue();
  if (std::isnan(number)) ThrowRange(value, name, "a number, Infinity for no limit");
  return number;
}

int ToFd(const Napi::Value& value, const char* name) { return static_cast<int>(ToInteger(value, name, 0, INT_MAX)); }

std::uint64_t ToSize(const Napi::Value& value, const char* name) {
  return static_cast<std::uint64_t>(ToInteger(value, name, 0, kMaxSafeInteger));
}

std::uint32_t ToUint32(const Napi::Value& value, const char* name) {
  return static_cast<std::uint32_t>(ToInteger(value, name, 0, UINT32_MAX));
}

std::string ToText(const Napi::Value& value, const char* name) {
  if (!value.IsString()) ThrowType(value, name, "a string");
  std::string text = value.As<Napi::String>().Utf8Value();
  if (text.find('\0') != std::string::npos) ThrowRange(value, name, "text without a zero byte");
  return text;
}

std::vector<std::string> ToTexts(const Napi::Value& value, const char* name) {
  const Napi::Array array = ToArray(value, name);
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < array.Length(); ++i) texts.push_back(ToText(array.Get(i), name));
  return texts;
}

std::vector<int> ToIntegers(const Napi::Value& value, const char* name, std::size_t max, double max_element) {
  const Napi::Array array = ToArray(value, name);
  if (array.Length() > max) {
    throw Napi::RangeError::New(value.Env(), std::string(name) + " has " + std::to_string(array.Length()) +
                                                 " elements: must have at most " + std::to_string(max));
  }
  std::vector<int> numbers;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    numbers.push_back(static_cast<int>(ToInteger(array.Get(i), name, 0, max_element)));
  }
  return numbers;
}

View<std::uint8_t> ToBytes(const Napi::Value& value, const char* name) {
  return ToView<std::uint8_t>(value, name, napi_uint8_array, "a Uint8Array");
}

View<std::uint32_t> ToWords(const Napi::Value& value, const char* name) {
  return ToView<std::uint32_t>(value, name, napi_uint32_array, "a Uint32Array");
}

Napi::Error NativeError(Napi::Env env, const OsError& error) {
  const std::string code = ErrnoName(error.code);
  Napi::Error thrown =
      Napi::Error::New(env, std::string(error.call) + ": " + std::strerror(error.code) + " (" + code + ")");
  thrown.Set("code", Napi::String::New(env, code));
  thrown.Set("errno", Napi::Number::New(env, error.code));
  thrown.Set("syscall", Napi::String::New(env, error.call));
  return thrown;
}

void ThrowIf(Napi::Env env, const Refusal& refusal) {
  if (refusal) throw Napi::RangeError::New(env, *refusal);
}

}  // namespace kaal
