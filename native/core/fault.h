// fault.h: page faults written down in a shared page, so that they can be told after the process has died of one.
#pragma once

#include <cstdint>
#include <optional>

#include "core/result.h"

namespace kaal {

struct Fault {
  std::int64_t address;     // in the VSpace; -1 outside it
  std::uint32_t write;      // 0 read, 1 write
  std::uint32_t thread_id;  // gettid(2)
  std::uint32_t trapped;    // 1 when the previous handler (V8's) took it for a WebAssembly trap
  std::uint32_t sequence;   // from 1; 0 marks an unused record
};

// Puts our handler in front of the present one for SIGSEGV and SIGBUS, for all threads of the process. `record` is a
// frame of at least one page, kept mapped to the process's end. EALREADY: called before.
Status InstallFaultHandler(int record);

// The calling thread's last fault, among the last few dozen of the process.
std::optional<Fault> LastFaultOfThread();

// From another process's record page: the newest fault that nobody trapped, else the newest. What stands there is that
// process's claim and may be nonsense.
Result<std::optional<Fault>> ReadFault(int record);

}  // namespace kaal
