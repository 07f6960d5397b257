// uv.h: the part of libuv that we call. Node exports it, but its header is not among the Node-API headers. All of it is
// in libuv's stable interface, and no structure is touched.
#pragma once

#include <cstddef>

extern "C" {

struct uv_loop_s;
struct uv_handle_s;
struct uv_poll_s;

// Weak: in a runtime without libuv they are null instead of the addon failing to load.
#define KAAL_WEAK __attribute__((weak))
KAAL_WEAK std::size_t uv_handle_size(int type);
KAAL_WEAK void* uv_handle_get_data(const uv_handle_s* handle);
KAAL_WEAK void uv_handle_set_data(uv_handle_s* handle, void* data);
KAAL_WEAK int uv_poll_init(uv_loop_s* loop, uv_poll_s* handle, int fd);
KAAL_WEAK int uv_poll_start(uv_poll_s* handle, int events, void (*callback)(uv_poll_s*, int status, int events));
KAAL_WEAK int uv_poll_stop(uv_poll_s* handle);
KAAL_WEAK void uv_ref(uv_handle_s* handle);
KAAL_WEAK void uv_unref(uv_handle_s* handle);
KAAL_WEAK void uv_close(uv_handle_s* handle, void (*callback)(uv_handle_s*));
#undef KAAL_WEAK

}  // extern "C"

namespace kaal {

constexpr int kUvPoll = 8;      // UV_POLL of uv_handle_type
constexpr int kUvReadable = 1;  // UV_READABLE

}  // namespace kaal
