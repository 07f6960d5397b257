// event_loop.cc: calling JavaScript back when a descriptor is readable, uv_poll_t.
#include <cstdlib>
#include <memory>

#include "binding/convert.h"
#include "binding/exports.h"
#include "binding/uv.h"

namespace kaal {

namespace {

// Lives until libuv has let go of the handle and JavaScript of the function that ends the watch.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  // Returns libuv's error number, 0 when all is well.
  static int Start(Napi::Env env, int fd, Napi::Function callback, std::shared_ptr<Watch>* out);

  explicit Watch(Napi::Env env, Napi::Function callback)
      : env_(env),
        handle_(std::calloc(1, uv_handle_size(kUvPoll))),
        callback_(Napi::Persistent(callback)),
        context_(std::make_unique<Napi::AsyncContext>(env, "kaal:watchReadable")) {}
  ~Watch() { std::free(handle_); }

  void End();
  // Whether it keeps the loop alive, as it does from the start.
  void Ref() {
    if (!ended_) uv_ref(handle());
  }
  void Unref() {
    if (!ended_) uv_unref(handle());
  }

 private:
  uv_poll_s* poll() { return static_cast<uv_poll_s*>(handle_); }
  uv_handle_s* handle() { return static_cast<uv_handle_s*>(handle_); }
  void LetGoOfJavaScript() {
    callback_.Reset();
    context_.reset();
  }

  static Watch* Of(uv_poll_s* poll) {
    return static_cast<Watch*>(uv_handle_get_data(reinterpret_cast<uv_handle_s*>(poll)));
  }
  static void OnReadable(uv_poll_s* poll, int status, int events);
  static void OnClosed(uv_handle_s* handle);
  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data);

  Napi::Env env_;
  void* handle_;
  Napi::FunctionReference callback_;
  std::unique_ptr<Napi::AsyncContext> context_;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  std::shared_ptr<Watch> kept_by_libuv_;
  bool ended_ = false;
};

int Watch::Start(Napi::Env env, int fd, Napi::Function callback, std::shared_ptr<Watch>* out) {
  uv_loop_s* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  std::shared_ptr<Watch> watch = std::make_shared<Watch>(env, callback);
  if (const int error = uv_poll_init(loop, watch->poll(), fd); error != 0) return error;
  uv_handle_set_data(watch->handle(), watch.get());
  watch->kept_by_libuv_ = watch;
  napi_add_async_cleanup_hook(env, OnEnvironmentEnd, watch.get(), &watch->hook_);
  if (const int error = uv_poll_start(watch->poll(), kUvReadable, OnReadable); error != 0) {
    watch->End();
    return error;
  }
  *out = std::move(watch);
  return 0;
}

void Watch::End() {
  if (ended_) return;
  ended_ = true;
  uv_close(handle(), OnClosed);
}

void Watch::OnReadable(uv_poll_s* poll, int status, int) {
  const std::shared_ptr<Watch> self = Of(poll)->shared_from_this();
  Napi::HandleScope scope(self->env_);
  try {
    self->callback_.MakeCallback(self->env_.Global(), std::initializer_list<napi_value>{}, *self->context_);
  } catch (const Napi::Error& error) {
    napi_fatal_exception(self->env_, error.Value());
  }
  // libuv stops watching a socket with a pending error, which the callback's read has taken by now.
  if (status < 0 && !self->ended_) uv_poll_start(poll, kUvReadable, OnReadable);
}

void Watch::OnClosed(uv_handle_s* handle) {
  Watch* const watch = static_cast<Watch*>(uv_handle_get_data(handle));
  watch->LetGoOfJavaScript();
  napi_remove_async_cleanup_hook(watch->hook_);
  const std::shared_ptr<Watch> last = std::move(watch->kept_by_libuv_);
}

// The thread's JavaScript is going away before libuv calls OnClosed.
void Watch::OnEnvironmentEnd(napi_async_cleanup_hook_handle, void* data) {
  Watch* const watch = static_cast<Watch*>(data);
  watch->LetGoOfJavaScript();
  watch->End();
}

Napi::Value WatchReadableFromJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int fd = ToFd(info[0], "fd");
  if (!info[1].IsFunction()) throw Napi::TypeError::New(env, "callback is not a function: must be one");
  if (uv_poll_init == nullptr) throw Napi::Error::New(env, "watchReadable needs libuv, which only Node.js has");
  std::shared_ptr<Watch> watch;
  const int error = Watch::Start(env, fd, info[1].As<Napi::Function>(), &watch);
  if (error != 0) throw NativeError(env, {-error, "epoll_ctl"});
  Napi::Function end = Napi::Function::New(env, [watch](const Napi::CallbackInfo&) { watch->End(); }, "endWatch");
  end.Set("ref", Napi::Function::New(env, [watch](const Napi::CallbackInfo&) { watch->Ref(); }, "ref"));
  end.Set("unref", Napi::Function::New(env, [watch](const Napi::CallbackInfo&) { watch->Unref(); }, "unref"));
  return end;
}

}  // namespace

void ExportEventLoop(Napi::Env env, Napi::Object exports) {
  Export<WatchReadableFromJs>(env, exports, "watchReadable");
}

}  // namespace kaal
