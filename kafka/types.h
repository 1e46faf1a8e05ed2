// Small values that travel between producer, consumer and their users.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vong::kafka {

using Milliseconds = int64_t;  // on the broker's clock where it is a point in time

struct Header {
  std::string_view name;
  std::string_view value;
};

inline constexpr int32_t kAnyPartition = -1;  // by the key's hash
inline constexpr int64_t kNoOffset = -1001;   // nothing committed

struct TopicPartition {
  std::string topic;
  int32_t partition = 0;
  friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct TopicOffset {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = kNoOffset;  // of the next record to read
  std::string metadata;        // any text kept with a committed offset, at most a few KB
  friend bool operator==(const TopicOffset&, const TopicOffset&) = default;
};

// Who commits offsets inside a producer's transaction: a consumer's membership
// (Consumer::group_metadata) or, without a member, just a group's name. Copies are cheap; any
// thread.
class GroupMetadata {
 public:
  explicit GroupMetadata(const std::string& group_id);
  struct Impl;
  explicit GroupMetadata(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace vong::kafka
