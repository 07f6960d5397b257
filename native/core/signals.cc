// signals.cc: the table of signal names. sigabbrev_np(3) would do, but musl and older C libraries lack it.
#include "core/signals.h"

#include <signal.h>

namespace kaal {

namespace {

struct Entry {
  int number;
  const char* name;
};

constexpr Entry kSignals[] = {
    {SIGHUP, "SIGHUP"},       {SIGINT, "SIGINT"},     {SIGQUIT, "SIGQUIT"},   {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"},     {SIGABRT, "SIGABRT"},   {SIGBUS, "SIGBUS"},     {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"},     {SIGUSR1, "SIGUSR1"},   {SIGSEGV, "SIGSEGV"},   {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"},     {SIGALRM, "SIGALRM"},   {SIGTERM, "SIGTERM"},   {SIGCHLD, "SIGCHLD"},
    {SIGCONT, "SIGCONT"},     {SIGSTOP, "SIGSTOP"},   {SIGTSTP, "SIGTSTP"},   {SIGTTIN, "SIGTTIN"},
    {SIGTTOU, "SIGTTOU"},     {SIGURG, "SIGURG"},     {SIGXCPU, "SIGXCPU"},   {SIGXFSZ, "SIGXFSZ"},
    {SIGVTALRM, "SIGVTALRM"}, {SIGPROF, "SIGPROF"},   {SIGWINCH, "SIGWINCH"}, {SIGIO, "SIGIO"},
    {SIGPWR, "SIGPWR"},       {SIGSYS, "SIGSYS"},
};

}  // namespace

std::string SignalName(int number) {
  for (const Entry& entry : kSignals) {
    if (entry.number == number) return entry.name;
  }
  return "SIG" + std::to_string(number);
}

int SignalNumber(const std::string& name) {
  for (const Entry& entry : kSignals) {
    if (name == entry.name) return entry.number;
  }
  return 0;
}

}  // namespace kaal
