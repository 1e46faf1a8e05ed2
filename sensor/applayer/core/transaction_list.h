// A flow's open transactions, oldest first: few at a time, taken away mostly at the front. A
// std::deque keeps half a kilobyte for each flow even when it is empty; this keeps nothing, then as
// much as it holds.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "sensor/applayer/core/transaction.h"

namespace vong::applayer {

class TransactionList {
 public:
  using Pointer = std::unique_ptr<Transaction>;
  using value_type = Pointer;
  using iterator = std::vector<Pointer>::iterator;
  using const_iterator = std::vector<Pointer>::const_iterator;

  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] size_t size() const { return items_.size() - head_; }
  [[nodiscard]] iterator begin() { return items_.begin() + head(); }
  [[nodiscard]] iterator end() { return items_.end(); }
  [[nodiscard]] const_iterator begin() const { return items_.begin() + head(); }
  [[nodiscard]] const_iterator end() const { return items_.end(); }
  [[nodiscard]] auto rbegin() { return std::make_reverse_iterator(end()); }
  [[nodiscard]] auto rend() { return std::make_reverse_iterator(begin()); }
  [[nodiscard]] auto rbegin() const { return std::make_reverse_iterator(end()); }
  [[nodiscard]] auto rend() const { return std::make_reverse_iterator(begin()); }
  // i < size()
  [[nodiscard]] Pointer& operator[](size_t i) { return items_[head_ + i]; }
  [[nodiscard]] const Pointer& operator[](size_t i) const { return items_[head_ + i]; }
  [[nodiscard]] Pointer& at(size_t i) { return items_.at(head_ + i); }
  [[nodiscard]] const Pointer& at(size_t i) const { return items_.at(head_ + i); }
  // !empty()
  [[nodiscard]] Pointer& front() { return items_[head_]; }
  [[nodiscard]] const Pointer& front() const { return items_[head_]; }
  [[nodiscard]] Pointer& back() { return items_.back(); }
  [[nodiscard]] const Pointer& back() const { return items_.back(); }

  void push_back(Pointer tx) {
    if (head_ != 0 && items_.size() == items_.capacity()) close_up_if_half();
    items_.push_back(std::move(tx));
  }
  void pop_front() {
    assert(!empty());
    items_[head_++].reset();
    if (empty()) {
      clear();
    } else if (head_ >= kMaxHead) {
      close_up_if_half();
    }
  }
  void clear() {
    items_.clear();
    head_ = 0;
  }
  // Takes away those that `done` says yes to; the others keep their order. Returns how many went.
  template <typename Done>
  friend size_t erase_if(TransactionList& list, Done done) {
    const auto kept = std::remove_if(list.begin(), list.end(), [&](const Pointer& p) { return done(p); });
    const auto n = static_cast<size_t>(list.end() - kept);
    list.items_.erase(kept, list.items_.end());
    if (list.empty()) list.clear();
    return n;
  }

 private:
  static constexpr size_t kMaxHead = 16;  // places given up at the front before the others move up
  [[nodiscard]] std::ptrdiff_t head() const { return static_cast<std::ptrdiff_t>(head_); }
  // Half of the places are given up: moving the others costs each removal one move at most.
  void close_up_if_half() {
    if (head_ * 2 < items_.size()) return;
    items_.erase(items_.begin(), items_.begin() + head());
    head_ = 0;
  }

  std::vector<Pointer> items_;  // from head_ on
  size_t head_ = 0;
};

}  // namespace vong::applayer
