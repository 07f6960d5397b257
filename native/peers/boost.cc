// boost.cc: Boost's spsc_queue in the shared region, under the reference's work. Takes kaal-reference's arguments.
#include <boost/lockfree/spsc_queue.hpp>

#include "reference/message.h"
#include "reference/trial.h"
#include "reference/wait.h"

namespace kaal::reference {

namespace {

// Elements of a fixed size: the queue copies them whole.
template <std::size_t kBytes>
class BoostRing {
 public:
  struct Element {
    std::byte payload[kBytes];
  };
  static constexpr std::size_t kSlots = 1024;
  using Queue = boost::lockfree::spsc_queue<Element, boost::lockfree::capacity<kSlots>>;

  BoostRing(Region& region, std::uint32_t, std::size_t bytes) : queue_(new (region.Take(sizeof(Queue))) Queue()) {
    if (bytes != kBytes) Fail("this peer was built for other --bytes");
  }

  static std::size_t RegionBytes(std::uint32_t, std::size_t) { return sizeof(Queue) + kLineBytes; }

  class Producer {
   public:
    explicit Producer(const BoostRing& ring) : queue_(*ring.queue_) {}
    bool HasRoom(std::uint32_t count) { return queue_.write_available() >= count; }
    void* Claim() { return &staged_; }
    void Commit() { queue_.push(staged_); }
    void Stage(const void* payload) {
      CopyPayload(&staged_, payload, kBytes);
      Commit();
    }
    // A push publishes.
    void Publish() {}

   private:
    Queue& queue_;
    Element staged_;
  };

  class Consumer {
   public:
    explicit Consumer(const BoostRing& ring) : queue_(*ring.queue_) {}
    bool HasMessage() { return queue_.read_available() != 0; }
    const void* Peek() { return &queue_.front(); }
    void Release() { queue_.pop(); }
    void Pop(void* payload) {
      CopyPayload(payload, Peek(), kBytes);
      Release();
    }

   private:
    Queue& queue_;
  };

 private:
  Queue* queue_;
};

template <std::size_t kBytes>
Results RunWith(const Options& options) {
  using Ring = BoostRing<kBytes>;
  if (options.mode == Mode::kSpinPingPong) return RunPingPong<Ring>(options, Spin{options.pause});
  if (options.mode == Mode::kStream) return RunStream<Ring>(options);
  Fail("this peer spins only: --mode spin-pingpong or stream");
}

Results Run(const Options& options) {
  if (options.bytes == 64) return RunWith<64>(options);
  Fail("this peer was built for --bytes 64");
}

}  // namespace
}  // namespace kaal::reference

int main(int argc, char** argv) { return kaal::reference::Main(argc, argv, kaal::reference::Run); }
