// Reads partitions from their first record to a given offset, beside the group: for state that is
// worked out again.
#pragma once

#include <functional>
#include <span>

#include "kafka/consumer.h"

namespace vong::correlator {

// Calls f for each record before `to[i].offset` of each partition, in order within a partition.
// `keep_on` is asked now and then; false: gives up with kRetry.
[[nodiscard]] kafka::KafkaResult<> replay_partitions(
    const kafka::ClientConfig& client, const std::string& group,
    std::span<const kafka::TopicOffset> to, const std::function<void(const kafka::Record&)>& f,
    const std::function<bool()>& keep_on);

}  // namespace vong::correlator
