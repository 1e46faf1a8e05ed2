// flow.age, flow.pkts, flow.bytes and their directions: how long and how large the flow is so far.
#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

MadeCondition make_age(std::string_view value) {
  const auto test = rules::parse_number_test(value, 0xffffffffu);
  if (!test) return std::unexpected(test.error());
  return condition([t = *test](Runtime& rt) {
    return rt.flow != nullptr && t.matches(static_cast<uint64_t>(std::max<int64_t>(0, to_ns(rt.packet->ts) - to_ns(rt.flow->start))) / 1'000'000'000u);
  });
}

template <uint64_t flow::DirectionCounters::* Counter, int Dir>
MadeCondition make_counter(std::string_view value) {
  const auto test = rules::parse_number_test(value);
  if (!test) return std::unexpected(test.error());
  return condition([t = *test](Runtime& rt) { return rt.flow != nullptr && t.matches(rt.flow->counters[Dir].*Counter); });
}

// "toserver,>3", "toclient,..", "either,..", "both,..."
template <uint64_t flow::DirectionCounters::* Counter>
MadeCondition make_either(std::string_view value) {
  const size_t comma = value.find(',');
  if (comma == std::string_view::npos) return value_error(value, "expected toserver|toclient|either|both, <number>");
  const std::string_view where = rules::trim(value.substr(0, comma));
  const auto test = rules::parse_number_test(rules::trim(value.substr(comma + 1)));
  if (!test) return std::unexpected(test.error());
  int mode = 0;
  if (where == "toserver") mode = 0;
  else if (where == "toclient") mode = 1;
  else if (where == "either") mode = 2;
  else if (where == "both") mode = 3;
  else return value_error(where, "expected toserver, toclient, either or both");
  return condition([t = *test, mode](Runtime& rt) {
    if (rt.flow == nullptr) return false;
    const bool server = t.matches(rt.flow->counters[0].*Counter), client = t.matches(rt.flow->counters[1].*Counter);
    return mode == 0 ? server : mode == 1 ? client : mode == 2 ? server || client : server && client;
  });
}

using C = flow::DirectionCounters;
constexpr Keyword kKeywords[] = {
    {"flow.age", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_age, 0, "[<|>|...]<seconds>", "Seconds since the flow's first packet."},
    {"flow.pkts", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_either<&C::packets>, 0, "toserver|toclient|either|both, <number>",
     "Packets of the flow so far."},
    {"flow.bytes", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_either<&C::bytes>, 0, "toserver|toclient|either|both, <number>",
     "Bytes of the flow so far."},
    {"flow.pkts_toserver", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_counter<&C::packets, 0>, 0, "<number>", "Packets to the server so far."},
    {"flow.pkts_toclient", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_counter<&C::packets, 1>, 0, "<number>", "Packets to the client so far."},
    {"flow.bytes_toserver", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_counter<&C::bytes, 0>, 0, "<number>", "Bytes to the server so far."},
    {"flow.bytes_toclient", "", KeywordKind::kFlow, ValueUse::kRequired, nullptr, make_counter<&C::bytes, 1>, 0, "<number>", "Bytes to the client so far."},
};

}  // namespace

std::span<const Keyword> flow_counter_keywords() { return kKeywords; }

}  // namespace vong::detect
