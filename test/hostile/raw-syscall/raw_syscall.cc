// raw_syscall.cc: a test's own addon: any system call from JavaScript. No part of the product, which offers none.

#include <node_api.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace {

constexpr std::size_t kMaxArguments = 7;  // the number and six more

// A number as it is; a typed array as the address of its bytes.
long ToArgument(napi_env env, napi_value value) {
  bool is_array = false;
  napi_is_typedarray(env, value, &is_array);
  if (is_array) {
    void* data = nullptr;
    napi_get_typedarray_info(env, value, nullptr, nullptr, &data, nullptr, nullptr);
    return reinterpret_cast<long>(data);
  }
  int64_t number = 0;
  napi_get_value_int64(env, value, &number);
  return static_cast<long>(number);
}

// syscall(number, ...arguments): the result, or the negative errno.
napi_value Syscall(napi_env env, napi_callback_info info) {
  napi_value values[kMaxArguments];
  std::size_t count = kMaxArguments;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  long arguments[kMaxArguments] = {};
  for (std::size_t i = 0; i < count && i < kMaxArguments; ++i) arguments[i] = ToArgument(env, values[i]);
  const long result = syscall(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5],
                              arguments[6]);
  napi_value answer;
  napi_create_int64(env, result < 0 ? -errno : result, &answer);
  return answer;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "syscall", NAPI_AUTO_LENGTH, Syscall, nullptr, &function);
  napi_set_named_property(env, exports, "syscall", function);
  return exports;
}
