// iceoryx.cc: an iceoryx publisher and subscriber under the reference's work. RouDi must run beside it.
#include <unistd.h>

#include <string>

#include "iceoryx_posh/popo/untyped_publisher.hpp"
#include "iceoryx_posh/popo/untyped_subscriber.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"
#include "reference/message.h"
#include "reference/trial.h"
#include "reference/wait.h"

namespace kaal::reference {

namespace {

// Each process is an application of its own, made at its first publisher or subscriber: after the fork.
void Register() {
  static const bool registered = [] {
    const std::string name = "kaal-bench-" + std::to_string(getpid());
    iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, name));
    return true;
  }();
  static_cast<void>(registered);
}

class IceoryxRing {
 public:
  IceoryxRing(Region&, std::uint32_t, std::size_t bytes) : name_(std::to_string(next_++)), bytes_(bytes) {}

  static std::size_t RegionBytes(std::uint32_t, std::size_t) { return 0; }

  class Producer {
   public:
    explicit Producer(const IceoryxRing& ring) : bytes_(ring.bytes_), publisher_(ring.Service(), Options_()) {}

    // A publish waits by itself for a subscriber whose queue is full.
    bool HasRoom(std::uint32_t) {
      while (!publisher_.hasSubscribers()) usleep(100);
      return true;
    }
    void* Claim() {
      auto loan = publisher_.loan(bytes_);
      if (loan.has_error()) Fail("iceoryx lends no chunk");
      return loaned_ = loan.value();
    }
    void Commit() { publisher_.publish(loaned_); }
    void Stage(const void* payload) {
      CopyPayload(Claim(), payload, bytes_);
      Commit();
    }
    void Publish() {}

   private:
    static iox::popo::PublisherOptions Options_() {
      iox::popo::PublisherOptions options;
      options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
      return options;
    }
    std::size_t bytes_;
    iox::popo::UntypedPublisher publisher_;
    void* loaned_ = nullptr;
  };

  class Consumer {
   public:
    explicit Consumer(const IceoryxRing& ring) : bytes_(ring.bytes_), subscriber_(ring.Service(), Options_()) {}

    bool HasMessage() {
      if (chunk_ != nullptr) return true;
      auto taken = subscriber_.take();
      if (taken.has_error()) return false;
      chunk_ = taken.value();
      return true;
    }
    const void* Peek() const { return chunk_; }
    void Release() {
      subscriber_.release(chunk_);
      chunk_ = nullptr;
    }
    void Pop(void* payload) {
      CopyPayload(payload, chunk_, bytes_);
      Release();
    }

   private:
    static iox::popo::SubscriberOptions Options_() {
      iox::popo::SubscriberOptions options;
      options.queueCapacity = 256;
      options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
      return options;
    }
    std::size_t bytes_;
    iox::popo::UntypedSubscriber subscriber_;
    const void* chunk_ = nullptr;
  };

 private:
  iox::capro::ServiceDescription Service() const {
    Register();
    return {"kaal", "bench", iox::capro::IdString_t(iox::cxx::TruncateToCapacity, name_)};
  }

  static inline int next_ = 0;
  std::string name_;
  std::size_t bytes_;
};

Results Run(const Options& options) {
  if (options.mode == Mode::kSpinPingPong) return RunPingPong<IceoryxRing>(options, Spin{options.pause});
  if (options.mode == Mode::kStream) return RunStream<IceoryxRing>(options);
  Fail("this peer spins only: --mode spin-pingpong or stream");
}

}  // namespace
}  // namespace kaal::reference

int main(int argc, char** argv) { return kaal::reference::Main(argc, argv, kaal::reference::Run); }
