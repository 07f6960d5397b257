// environment.h: what the addon keeps for each JavaScript thread.
#pragma once

#include <napi.h>

#include <memory>

#include "core/bells.h"
#include "core/vspace.h"

namespace kaal {

struct Environment {
  // Keeps the attached memory from being collected.
  Napi::ObjectReference memory;
  // Made when this thread first waits for a bell.
  std::unique_ptr<BellSet> bells;

  ~Environment() {
    if (!memory.IsEmpty()) ReleaseVSpace();
  }
};

}  // namespace kaal
