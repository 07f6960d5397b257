// memory.cc: binding of core/memfd.h and core/vspace.h.
#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/exports.h"
#include "core/memfd.h"
#include "core/vspace.h"

namespace kaal {

namespace {

Napi::Value CreateFrameFromJs(const Napi::CallbackInfo& info) {
  const std::uint64_t bytes = ToSize(info[0], "bytes");
  const std::string label = ToText(info[1], "label");
  ThrowIf(info.Env(), CheckFrame(bytes, label));
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), CreateFrame(bytes, label)).release());
}

Napi::Value ReserveFrameFromJs(const Napi::CallbackInfo& info) {
  const std::uint64_t bytes = ToSize(info[0], "bytes");
  const std::string label = ToText(info[1], "label");
  ThrowIf(info.Env(), CheckFrame(bytes, label));
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), ReserveFrame(bytes, label)).release());
}

void AllocateFrameFromJs(const Napi::CallbackInfo& info) {
  ValueOrThrow(info.Env(), AllocateFrame(ToFd(info[0], "fd"), ToSize(info[1], "offset"), ToSize(info[2], "bytes")));
}

void CloseFdFromJs(const Napi::CallbackInfo& info) { ValueOrThrow(info.Env(), CloseFd(ToFd(info[0], "fd"))); }

Napi::Value DuplicateFdFromJs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), DuplicateFd(ToFd(info[0], "fd"))).release());
}

Napi::Value ReopenReadOnlyFromJs(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ValueOrThrow(info.Env(), ReopenReadOnly(ToFd(info[0], "fd"))).release());
}

void SealFutureWritesFromJs(const Napi::CallbackInfo& info) {
  ValueOrThrow(info.Env(), SealFutureWrites(ToFd(info[0], "fd")));
}

// The bytes of a shared memory. Pages of one that is not shared are V8's to move.
View<std::uint8_t> ToSharedMemory(const Napi::Value& value) {
  const View<std::uint8_t> memory = ToBytes(value, "memory");
  if (value.As<Napi::Object>().Get("buffer").IsArrayBuffer()) {
    throw Napi::TypeError::New(value.Env(), "memory is not shared: must cover a shared WebAssembly.Memory");
  }
  return memory;
}

void AttachMemoryFromJs(const Napi::CallbackInfo& info) {
  const View<std::uint8_t> memory = ToSharedMemory(info[0]);
  const std::uint64_t private_bytes = ToSize(info[1], "privateBytes");
  ThrowIf(info.Env(), CheckAttach(memory.data, memory.length, private_bytes));
  Environment* const environment = info.Env().GetInstanceData<Environment>();
  if (!environment->memory.IsEmpty()) return;
  ValueOrThrow(info.Env(), AttachVSpace(memory.data, memory.length, private_bytes));
  environment->memory = Napi::Persistent(info[0].As<Napi::Object>());
}

void AdoptMemoryFromJs(const Napi::CallbackInfo& info) {
  const View<std::uint8_t> memory = ToSharedMemory(info[0]);
  ThrowIf(info.Env(), CheckAdopt(memory.data, memory.length));
  Environment* const environment = info.Env().GetInstanceData<Environment>();
  if (!environment->memory.IsEmpty()) return;
  AdoptVSpace();
  environment->memory = Napi::Persistent(info[0].As<Napi::Object>());
}

void MapFromJs(const Napi::CallbackInfo& info) {
  const std::uint64_t address = ToSize(info[0], "address");
  const std::uint64_t bytes = ToSize(info[1], "bytes");
  const int fd = ToFd(info[2], "fd");
  const std::uint32_t permissions = ToUint32(info[3], "permissions");
  ThrowIf(info.Env(), CheckMappable(address, bytes));
  ThrowIf(info.Env(), CheckPermissions(permissions));
  ValueOrThrow(info.Env(), MapFrame(address, bytes, fd, permissions));
}

void UnmapFromJs(const Napi::CallbackInfo& info) {
  const std::uint64_t address = ToSize(info[0], "address");
  const std::uint64_t bytes = ToSize(info[1], "bytes");
  ThrowIf(info.Env(), CheckMappable(address, bytes));
  ValueOrThrow(info.Env(), UnmapFrame(address, bytes));
}

}  // namespace

void ExportMemory(Napi::Env env, Napi::Object exports) {
  Export<CreateFrameFromJs>(env, exports, "createFrame");
  Export<ReserveFrameFromJs>(env, exports, "reserveFrame");
  Export<AllocateFrameFromJs>(env, exports, "allocateFrame");
  Export<CloseFdFromJs>(env, exports, "closeFd");
  Export<DuplicateFdFromJs>(env, exports, "duplicateFd");
  Export<ReopenReadOnlyFromJs>(env, exports, "reopenReadOnly");
  Export<SealFutureWritesFromJs>(env, exports, "sealFutureWrites");
  Export<AttachMemoryFromJs>(env, exports, "attachMemory");
  Export<AdoptMemoryFromJs>(env, exports, "adoptMemory");
  Export<MapFromJs>(env, exports, "map");
  Export<UnmapFromJs>(env, exports, "unmap");
}

}  // namespace kaal
