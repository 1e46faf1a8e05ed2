#include "sensor/applayer/core/welcome.h"

namespace vong::applayer {

ProbeVerdict probe_welcome(Direction d, Bytes data) {
  const std::string_view text = as_text(data);
  if (d != Direction::kToClient || text.size() < 4 || !text.starts_with("220") ||
      (text[3] != ' ' && text[3] != '-'))
    return ProbeVerdict::kNo;
  return text.find('\n') != std::string_view::npos ? ProbeVerdict::kYes : ProbeVerdict::kMoreData;
}

}  // namespace vong::applayer
