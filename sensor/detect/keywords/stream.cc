// stream_size: how much each side of a TCP connection has sent.
#include "sensor/detect/keywords/common.h"
#include "sensor/flow/raw_stream.h"

namespace vong::detect {
namespace {

MadeCondition make_stream_size(std::string_view value) {
  const auto parts = rules::split_parts(value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() != 3) return value_error(value, "expected server|client|both|either, <operator>, <bytes>");
  const auto bytes = rules::parse_unsigned((*parts)[2], 0xffffffffu);
  if (!bytes) return std::unexpected(bytes.error());
  const std::string_view op = (*parts)[1], whose = (*parts)[0];
  rules::NumberTest t{rules::Compare::kEqual, *bytes, 0};
  if (op == "<") t.compare = rules::Compare::kLess;
  else if (op == ">") t.compare = rules::Compare::kGreater;
  else if (op == "<=") t.compare = rules::Compare::kLessEqual;
  else if (op == ">=") t.compare = rules::Compare::kGreaterEqual;
  else if (op == "!=" || op == "!") t.compare = rules::Compare::kNotEqual;
  else if (op != "=" && op != "==") return value_error(op, "expected one of < > = <= >= !=");
  int mode = 0;
  if (whose == "client") mode = 0;
  else if (whose == "server") mode = 1;
  else if (whose == "both") mode = 2;
  else if (whose == "either") mode = 3;
  else return value_error(whose, "expected server, client, both or either");
  return selecting_condition<2>([t, mode](Runtime& rt) {
    if (!rt.packet->is_tcp || rt.flow == nullptr) return false;
    const flow::RawStream* s = flow::raw_stream(*rt.flow);
    if (s == nullptr) return false;
    const bool client = t.matches(s->stream_size(Direction::kToServer)), server = t.matches(s->stream_size(Direction::kToClient));
    return mode == 0 ? client : mode == 1 ? server : mode == 2 ? client && server : client || server;
  });
}

constexpr Keyword kKeywords[] = {
    {"stream_size", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_stream_size, 0, "server|client|both|either, <operator>, <bytes>",
     "Bytes sent so far by sequence numbers."},
};

}  // namespace

std::span<const Keyword> stream_keywords() { return kKeywords; }

}  // namespace vong::detect
