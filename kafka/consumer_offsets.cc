// Where reading stands in each partition, and where it is put.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "kafka/consumer_impl.h"

namespace vong::kafka {

bool Consumer::reached_end() const {
  const std::vector<TopicPartition> all = assignment();
  return !all.empty() && std::ranges::all_of(all, [&](const TopicPartition& p) {
    return std::ranges::find(impl_->ended, p) != impl_->ended.end();
  });
}

std::span<const TopicPartition> Consumer::ended() const { return impl_->ended; }

std::vector<TopicPartition> Consumer::assignment() const {
  return to_partitions(impl_->assignment().get());
}

std::vector<TopicOffset> Consumer::positions() const {
  std::vector<TopicOffset> result;
  for (const Position& p : impl_->positions)
    result.push_back({p.partition.topic, p.partition.partition, p.next, {}});
  return result;
}
KafkaResult<std::vector<TopicOffset>> Consumer::committed(
    std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout) const {
  const PartitionsHandle list = to_list(partitions);
  if (auto ok =
          impl_->answer("committed offsets",
                        rd_kafka_committed(impl_->client.get(), list.get(), milliseconds(timeout)));
      !ok) {
    return std::unexpected(ok.error());
  }
  std::vector<TopicOffset> result;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& p = list->elems[i];
    if (auto ok = impl_->answer("committed offsets", p.err); !ok)
      return std::unexpected(ok.error());
    result.push_back({p.topic, p.partition, p.offset < 0 ? kNoOffset : p.offset,
                      std::string(static_cast<const char*>(p.metadata), p.metadata_size)});
  }
  return result;
}

KafkaResult<> Consumer::commit(std::chrono::milliseconds) {
  const std::vector<TopicOffset> offsets = positions();
  if (offsets.empty()) return {};
  const PartitionsHandle list = to_list(offsets);
  return impl_->answer("commit of offsets", rd_kafka_commit(impl_->client.get(), list.get(), 0));
}

KafkaResult<> Consumer::rewind_to_committed(std::chrono::milliseconds timeout) {
  const std::vector<TopicPartition> partitions = assignment();
  if (partitions.empty()) return {};
  KafkaResult<std::vector<TopicOffset>> offsets = committed(partitions, timeout);
  if (!offsets) return std::unexpected(offsets.error());
  // Only what was handed out has to come again; the rest stands where it stood.
  std::vector<TopicOffset> back;
  for (TopicOffset& o : *offsets) {
    const auto at = std::ranges::find_if(impl_->positions, [&](const Position& p) {
      return p.partition.topic == o.topic && p.partition.partition == o.partition;
    });
    if (at == impl_->positions.end()) continue;
    back.push_back({o.topic, o.partition, o.offset == kNoOffset ? at->first : o.offset, {}});
  }
  if (back.empty()) return {};
  if (auto ok = impl_->seek(std::move(back), timeout); !ok) return ok;
  impl_->positions.clear();
  impl_->ended.clear();
  return {};
}

// A partition that was assigned just now may not be open to it yet.
KafkaResult<> Consumer::Impl::seek(std::vector<TopicOffset> to,
                                   std::chrono::milliseconds timeout) const {
  constexpr auto kAgain = std::chrono::milliseconds(5);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!to.empty()) {
    const PartitionsHandle list = to_list(to);
    if (auto ok = answer("seek",
                         rd_kafka_seek_partitions(client.get(), list.get(), milliseconds(timeout)));
        !ok)
      return ok;
    const bool last = std::chrono::steady_clock::now() >= deadline;
    to.clear();
    for (int i = 0; i < list->cnt; ++i) {
      const rd_kafka_topic_partition_t& p = list->elems[i];
      const bool again =
          p.err == RD_KAFKA_RESP_ERR__STATE || p.err == RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS;
      if (again && !last)
        to.push_back({p.topic, p.partition, p.offset, {}});
      else if (auto ok = answer("seek", p.err); !ok)
        return ok;
    }
    if (!to.empty()) std::this_thread::sleep_for(kAgain);
  }
  return {};
}

KafkaResult<> Consumer::seek(std::span<const TopicOffset> to, std::chrono::milliseconds timeout) {
  std::vector<TopicOffset> moved;
  for (const TopicOffset& o : to) {
    if (std::ranges::any_of(impl_->placed, [&](const TopicOffset& p) {
          return p.partition == o.partition && p.offset == o.offset && p.topic == o.topic;
        }))
      continue;
    const int64_t offset = o.offset == kNoOffset ? RD_KAFKA_OFFSET_BEGINNING : o.offset;
    moved.push_back({o.topic, o.partition, offset, {}});
  }
  if (moved.empty()) return {};
  if (auto ok = impl_->seek(moved, timeout); !ok) return ok;
  const auto is_moved = [&](const TopicPartition& p) {
    return std::ranges::any_of(moved, [&](const TopicOffset& o) {
      return o.partition == p.partition && o.topic == p.topic;
    });
  };
  for (const TopicOffset& o : moved) impl_->not_placed(o.topic, o.partition);
  std::erase_if(impl_->positions, [&](const Position& p) { return is_moved(p.partition); });
  std::erase_if(impl_->ended, is_moved);  // their ends have to be reached again
  return {};
}

// `what`: the protocol takes the two ends of a partition for points in time.
KafkaResult<> Consumer::Impl::query(rd_kafka_topic_partition_list_t* list, int64_t what,
                                    std::chrono::milliseconds timeout) const {
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = what;
  if (auto ok = answer("ends of partitions",
                       rd_kafka_offsets_for_times(client.get(), list, milliseconds(timeout)));
      !ok)
    return ok;
  for (int i = 0; i < list->cnt; ++i) {
    if (auto ok = answer("ends of partitions", list->elems[i].err); !ok) return ok;
  }
  return {};
}

KafkaResult<std::vector<Consumer::Bounds>> Consumer::bounds(
    std::span<const TopicPartition> partitions, std::chrono::milliseconds timeout) const {
  if (partitions.empty()) return std::vector<Bounds>();
  const PartitionsHandle first = to_list(partitions);
  const PartitionsHandle end = to_list(partitions);
  if (auto ok = impl_->query(first.get(), RD_KAFKA_OFFSET_BEGINNING, timeout); !ok)
    return std::unexpected(ok.error());
  if (auto ok = impl_->query(end.get(), RD_KAFKA_OFFSET_END, timeout); !ok)
    return std::unexpected(ok.error());
  std::vector<Bounds> result;
  for (const TopicPartition& p : partitions) {
    const auto at = [&](const PartitionsHandle& list) {
      const auto* found =
          rd_kafka_topic_partition_list_find(list.get(), p.topic.c_str(), p.partition);
      return found != nullptr ? found->offset : 0;
    };
    result.push_back({at(first), at(end)});
  }
  return result;
}

KafkaResult<int32_t> Consumer::partition_count(const std::string& topic,
                                               std::chrono::milliseconds timeout) const {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(impl_->client.get(), topic.c_str(), nullptr);
  if (handle == nullptr)
    return std::unexpected(to_error(topic, rd_kafka_last_error(), impl_->watch));
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t code =
      rd_kafka_metadata(impl_->client.get(), 0, handle, &metadata, milliseconds(timeout));
  rd_kafka_topic_destroy(handle);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return std::unexpected(to_error(fmt::format("topic {}", topic), code, impl_->watch));
  const std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>> owner(
      metadata);
  if (metadata->topic_cnt != 1)
    return std::unexpected(to_error(fmt::format("topic {}", topic),
                                    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, impl_->watch));
  if (auto ok = impl_->answer(fmt::format("topic {}", topic), metadata->topics[0].err); !ok)
    return std::unexpected(ok.error());
  return metadata->topics[0].partition_cnt;
}

int64_t Consumer::lag() const {
  int64_t total = 0;
  for (const Position& p : impl_->positions) {
    if (std::ranges::find(impl_->ended, p.partition) != impl_->ended.end()) continue;
    int64_t low = 0;
    int64_t high = 0;
    if (rd_kafka_get_watermark_offsets(impl_->client.get(), p.partition.topic.c_str(),
                                       p.partition.partition, &low,
                                       &high) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      total += std::max<int64_t>(0, high - p.next);
    }
  }
  return total;
}
}  // namespace vong::kafka
