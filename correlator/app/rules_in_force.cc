#include "correlator/app/rules_in_force.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/json_writer.h"

namespace vong::correlator {
namespace {

constexpr size_t kPrintDigits = 16;

std::optional<kafka::TopicPartition> read_partition(const std::string& text) {
  const size_t slash = text.rfind('/');
  kafka::TopicPartition p;
  if (slash == text.npos) return std::nullopt;
  p.topic = text.substr(0, slash);
  const char *begin = text.data() + slash + 1, *end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(begin, end, p.partition);
  if (error != std::errc() || stop != end) return std::nullopt;
  return p;
}

}  // namespace

bool RulesInForce::is(std::span<const uint64_t> prints) const {
  return prints.size() == since.size() &&
         std::all_of(prints.begin(), prints.end(), [&](uint64_t p) { return since.contains(p); });
}

void RulesInForce::change(std::span<const uint64_t> prints, int64_t released_ns,
                          std::map<kafka::TopicPartition, int64_t> offsets) {
  const bool first = since.empty();
  if (!first) epochs.push_back({last() + 1, released_ns, std::move(offsets)});
  std::map<uint64_t, uint32_t> now;
  for (const uint64_t p : prints) {
    const auto it = since.find(p);
    now[p] = it != since.end() ? it->second : last();
  }
  since = std::move(now);
  if (epochs.size() > kEpochsMax) merge_until(epochs[epochs.size() - kEpochsMax - 1].number);
}

void RulesInForce::merge_until(uint32_t epoch) {
  for (auto& [print, number] : since) number = number <= epoch ? 0 : number;
  std::erase_if(epochs, [&](const Epoch& e) { return e.number < epoch; });
}

RulesInForce::Starts RulesInForce::starts_in(const kafka::TopicPartition& partition) const {
  Starts starts;
  int64_t first = INT64_MAX;
  for (auto e = epochs.rbegin(); e != epochs.rend() && first > 0; ++e) {
    const auto it = e->offsets.find(partition);
    const int64_t offset = it == e->offsets.end() ? 0 : it->second;
    if (offset >= first) continue;  // a later epoch has all of it
    starts.emplace_back(offset, e->number);
    first = offset;
  }
  std::reverse(starts.begin(), starts.end());
  return starts;
}

std::string RulesInForce::json() const {
  std::string out;
  JsonWriter w(out);
  w.open_object();
  w.field("version", uint64_t{1});
  w.field("campaigns_since_ns", campaigns_since_ns);
  if (text_pieces > 0) {
    w.field("text_print", fmt::format("{:016x}", text_print));
    w.field("text_pieces", uint64_t{text_pieces});
  }
  w.open_array("epochs");
  for (const Epoch& e : epochs) {
    w.open_object();
    w.field("number", uint64_t{e.number});
    w.field("released_ns", e.released_ns);
    w.open_object("offsets");
    for (const auto& [p, offset] : e.offsets) {
      w.key_escaped(p.topic + "/" + std::to_string(p.partition));
      w.number(offset);
    }
    w.close_object();
    w.close_object();
  }
  w.close_array();
  std::map<uint32_t, std::string> rules;
  for (const auto& [print, number] : since) rules[number] += fmt::format("{:016x}", print);
  w.open_object("rules");
  for (const auto& [number, prints] : rules) w.field(std::to_string(number), prints);
  w.close_object();
  w.close_object();
  return out;
}

std::optional<RulesInForce> RulesInForce::parse(std::string_view json) {
  const auto root = nlohmann::json::parse(json, nullptr, false);
  if (!root.is_object()) return std::nullopt;
  try {
    if (root.value("version", 0) != 1) return std::nullopt;
    RulesInForce r;
    r.campaigns_since_ns = root.at("campaigns_since_ns").get<int64_t>();
    r.text_pieces = root.value("text_pieces", 0u);
    r.text_print = std::stoull(root.value("text_print", "0"), nullptr, 16);
    for (const auto& e : root.at("epochs")) {
      Epoch epoch{e.at("number").get<uint32_t>(), e.at("released_ns").get<int64_t>(), {}};
      for (const auto& [name, offset] : e.at("offsets").items()) {
        const auto partition = read_partition(name);
        if (!partition) return std::nullopt;
        epoch.offsets[*partition] = offset.get<int64_t>();
      }
      r.epochs.push_back(std::move(epoch));
    }
    for (const auto& [number, prints] : root.at("rules").items()) {
      const auto text = prints.get<std::string>();
      for (size_t i = 0; i + kPrintDigits <= text.size(); i += kPrintDigits)
        r.since[std::stoull(text.substr(i, kPrintDigits), nullptr, 16)] =
            static_cast<uint32_t>(std::stoul(number));
    }
    return r;
  } catch (const std::exception&) {  // another type than it should be
    return std::nullopt;
  }
}

}  // namespace vong::correlator
