// result.h: what a core function returns: a value, or the system call that Linux refused.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace kaal {

struct OsError {
  int code;          // errno
  const char* call;  // name of the system call, a literal
};

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function can return either as it stands.
  Result(T value) : state_(std::move(value)) {}
  Result(OsError error) : state_(error) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& value() { return std::get<0>(state_); }
  const OsError& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, OsError> state_;
};

struct Ok {};
using Status = Result<Ok>;

// Why an argument is refused before any system call: a sentence naming it, its value and the limit.
using Refusal = std::optional<std::string>;

}  // namespace kaal
