// cycles.cc: what a stamp costs itself.
#include "reference/cycles.h"

namespace kaal::reference {

double StampCost() {
  constexpr int kStamps = 1000;
  std::vector<double> means(21);
  for (double& mean : means) {
    const std::uint64_t start = ReadTsc();
    for (int i = 1; i < kStamps; i++) ReadTsc();
    mean = static_cast<double>(ReadTsc() - start) / kStamps;
  }
  return Quantile(means, 0.5);
}

}  // namespace kaal::reference
