// fuzz.h: mutated messages for whatever reads what another process sent, led by the coverage of the core.
#pragma once

#include <random>

// Needs a core that was compiled with -fsanitize-coverage=trace-pc. Starts a mapper thread, so the process is to end
// when this has returned: once.
void FuzzReceived(std::mt19937& random, int seconds);
