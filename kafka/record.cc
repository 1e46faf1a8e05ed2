// What a record says of itself: views into librdkafka's message.
#include "kafka/consumer.h"
#include "kafka/internal.h"

namespace vong::kafka {
namespace {

rd_kafka_message_t* cast(void* message) { return static_cast<rd_kafka_message_t*>(message); }

}  // namespace

Record::~Record() {
  if (message_ != nullptr) rd_kafka_message_destroy(cast(message_));
}
bool Record::is_of_same_partition(const Record& o) const {
  return cast(message_)->rkt == cast(o.message_)->rkt &&
         cast(message_)->partition == cast(o.message_)->partition;
}
std::string_view Record::topic() const { return rd_kafka_topic_name(cast(message_)->rkt); }
int32_t Record::partition() const { return cast(message_)->partition; }
int64_t Record::offset() const { return cast(message_)->offset; }
Milliseconds Record::timestamp() const {
  rd_kafka_timestamp_type_t type;
  return rd_kafka_message_timestamp(cast(message_), &type);
}
std::string_view Record::key() const {
  return {static_cast<const char*>(cast(message_)->key), cast(message_)->key_len};
}
std::string_view Record::value() const {
  return {static_cast<const char*>(cast(message_)->payload), cast(message_)->len};
}

std::optional<std::string_view> Record::header(const char* name) const {
  rd_kafka_headers_t* headers;
  const void* value;
  std::size_t size;
  if (rd_kafka_message_headers(cast(message_), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return std::nullopt;
  }
  return std::string_view(static_cast<const char*>(value), size);
}

std::vector<Header> Record::headers() const {
  std::vector<Header> result;
  rd_kafka_headers_t* headers;
  if (rd_kafka_message_headers(cast(message_), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return result;
  const char* name;
  const void* value;
  std::size_t size;
  for (std::size_t i = 0;
       i < kMaxHeaders &&
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    result.push_back({name, {static_cast<const char*>(value), size}});
  }
  return result;
}
}  // namespace vong::kafka
