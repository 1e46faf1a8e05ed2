#include "sensor/emit/forwarded_for.h"

#include <algorithm>

#include "base/strings.h"

namespace vong::emit {
namespace {

constexpr uint32_t kFieldsMax = 1024;  // looked through

const applayer::BufferDef* request_fields(const applayer::ProtocolDef& def) {
  const auto it = std::ranges::find(def.buffers, std::string_view("http.request_header"),
                                    &applayer::BufferDef::name);
  return it == def.buffers.end() ? nullptr : &*it;
}

std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  const size_t colon = text.find(':');
  const bool single =
      colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos;
  return single ? text.substr(0, colon) : text;
}

}  // namespace

ForwardedFor ForwardedFor::from(const Settings& options, const ForwardedFor& outer) {
  ForwardedFor f = outer;
  f.enabled = options.flag("xff.enabled", outer.enabled);
  if (const auto mode = options.get("xff.mode"))
    f.overwrite = equals_ignore_case(*mode, "overwrite");
  if (const auto side = options.get("xff.deployment"))
    f.first = equals_ignore_case(*side, "forward");
  if (const auto header = options.get("xff.header"); header && !header->empty())
    f.header = to_lower(*header);
  return f;
}

std::optional<IpAddress> ForwardedFor::in(std::string_view value) const {
  const size_t comma = first ? value.find(',') : value.rfind(',');
  if (comma != std::string_view::npos)
    value = first ? value.substr(0, comma) : value.substr(comma + 1);
  return IpAddress::parse(without_port(strip(value)));
}

std::optional<IpAddress> ForwardedFor::of(const applayer::ProtocolDef& def,
                                          const applayer::Transaction& tx) const {
  if (!enabled || def.id != applayer::AppProto::kHttp1) return std::nullopt;
  const applayer::BufferDef* fields = request_fields(def);
  if (fields == nullptr) return std::nullopt;
  std::string scratch;
  for (uint32_t i = 0; i < kFieldsMax; ++i) {
    scratch.clear();
    const auto view = fields->get(tx, Direction::kToServer, i, scratch);
    if (!view.present) break;
    const std::string_view field = as_text(view.data);
    const size_t colon = field.find(':');
    if (colon != std::string_view::npos &&
        equals_ignore_case(strip(field.substr(0, colon)), header))
      return in(field.substr(colon + 1));
  }
  return std::nullopt;
}

}  // namespace vong::emit
