// environment.h: what the addon keeps for each JavaScript thread.
#pragma once

#include <napi.h>

#include "core/vspace.h"

namespace kaal {

struct Environment {
  // Keeps the attached memory from being collected.
  Napi::ObjectReference memory;

  ~Environment() {
    if (!memory.IsEmpty()) ReleaseVSpace();
  }
};

}  // namespace kaal
