// expect.h: what ends a test that found something.
#pragma once

#include <cstdio>
#include <cstdlib>

inline void Expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::exit(1);
}
