// A transaction on its way while what comes behind it is worked on. One at a time.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <optional>

#include "kafka/error.h"

namespace vong::correlator {

// One thread calls; the transaction runs on another, and has its producer for itself until then.
class Committer {
 public:
  using Transaction = std::function<kafka::KafkaResult<>()>;

  // What `transaction` uses must last until its outcome is there. None may be under way.
  void begin(Transaction transaction) {
    under_way_ = std::async(std::launch::async, std::move(transaction));
  }
  // Whether there is one whose outcome nobody has taken.
  [[nodiscard]] bool busy() const { return under_way_.valid(); }
  // Until the outcome is there.
  void wait() const {
    if (busy()) under_way_.wait();
  }
  // The outcome, once: what there is to know for sure about the transaction. Nothing when none was
  // begun, or, with `wait` false, while it is under way.
  [[nodiscard]] std::optional<kafka::KafkaResult<>> outcome(bool wait) {
    if (!busy() ||
        (!wait && under_way_.wait_for(std::chrono::seconds(0)) != std::future_status::ready))
      return std::nullopt;
    return under_way_.get();
  }

 private:
  std::future<kafka::KafkaResult<>> under_way_;
};

}  // namespace vong::correlator
