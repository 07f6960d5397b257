// report.cc: cycles to times, and to JSON.
#include "reference/report.h"

#include <cmath>
#include <cstdio>
#include <sstream>

#include "reference/probe.h"

namespace kaal::reference {

namespace {

std::string Number(double value) {
  if (std::isnan(value)) return "null";
  char text[40];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

// "changed" where the two probes differ: the host has moved the processors in between.
std::string Placement(double before_ns, double after_ns) {
  if (std::isnan(before_ns) || std::isnan(after_ns)) return "null";
  const char before = PlacementOf(before_ns);
  return Quoted(before == PlacementOf(after_ns) ? std::string(1, before) : "changed");
}

// Pairs of bucket and count; empty buckets are left out.
std::string Counts(const Histogram& histogram) {
  std::string text;
  for (std::size_t bucket = 0; bucket < histogram.counts().size(); bucket++) {
    const std::uint32_t count = histogram.counts()[bucket];
    if (count == 0) continue;
    text += (text.empty() ? "[" : ",[") + std::to_string(bucket) + "," + std::to_string(count) + "]";
  }
  return "[" + text + "]";
}

}  // namespace

std::string Report(const Options& options, const Results& results) {
  const double tsc_hz = options.tsc_hz;
  const auto ns = [&](double cycles) { return cycles * 1e9 / tsc_hz; };
  const bool ring = options.mode != Mode::kProbe;
  const auto of_ring = [&](std::uint64_t value) { return ring ? std::to_string(value) : "null"; };
  const double msgs_per_s = options.samples * tsc_hz / results.child.stream_cycles;

  std::ostringstream json;
  json << R"({"what":"native-reference","mode":)" << Quoted(options.mode_name)
       << R"(,"variant":)" << (ring ? Quoted(options.variant_name) : "null")
       << R"(,"pause":)" << (options.pause ? "true" : "false")
       << R"(,"payload":)" << (ring ? Quoted(options.payload_name) : "null")
       << R"(,"in_place":)" << (options.in_place ? "true" : "false")
       << R"(,"bytes":)" << of_ring(options.bytes)
       << R"(,"slots":)" << of_ring(options.slots)
       << R"(,"samples":)" << of_ring(options.samples)
       << R"(,"batch":)" << of_ring(options.batch)
       << R"(,"rtt_ns":{"p50":)" << Number(ns(results.rtt_p50))
       << R"(,"p99":)" << Number(ns(results.rtt_p99))
       << R"(,"p999":)" << Number(ns(results.rtt_p999))
       << R"(,"max":)" << Number(ns(results.rtt_max))
       << R"(},"histogram":)" << Counts(results.histogram)
       << R"(,"oneway_cycles_p50":)" << Number(results.rtt_p50 / 2)
       << R"(,"oneway_stamp_cycles_p50":)" << Number(results.child.oneway_stamp_p50)
       << R"(,"msgs_per_s":)" << Number(msgs_per_s)
       << R"(,"probe_ns":{"before":)" << Number(ns(results.probe_before))
       << R"(,"after":)" << Number(ns(results.probe_after))
       << R"(},"placement":)" << Placement(ns(results.probe_before), ns(results.probe_after))
       << R"(,"tsc_hz":)" << Number(tsc_hz) << "}";
  return json.str();
}

}  // namespace kaal::reference
