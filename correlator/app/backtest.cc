#include "correlator/app/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <tuple>

#include "base/json_writer.h"
#include "correlator/app/fact.h"

namespace vong::correlator {
namespace {

std::string_view recipient_of(const events::Incident& i) {
  return i.national ? std::string_view("national") : std::string_view(i.agency);
}

// How many of `a` are not in `b`; both sorted.
uint64_t only_in(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  std::vector<uint64_t> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out.size();
}

// By UTF-8 characters, so that titles with marks keep the columns straight.
std::string cut_to(std::string_view text, size_t width) {
  size_t characters = 0, end = 0;
  while (end < text.size()) {
    const bool begins = (static_cast<uint8_t>(text[end]) & 0xc0) != 0x80;
    if (begins && characters == width) break;
    characters += begins;
    ++end;
  }
  return std::string(text.substr(0, end)) + std::string(width - characters, ' ');
}

}  // namespace

void Backtest::incident(const events::Incident& i) {
  Rule& rule = rules_[i.rule.id];
  rule.title = i.rule.title;
  rule.type = i.rule.type;
  rule.ids.push_back(stable_print(i.id));
  ++rule.by_agency[std::string(recipient_of(i))];
  const auto place = [](const Example& e) { return std::tie(e.first_seen, e.incident_id); };
  Example example{i.id, std::string(recipient_of(i)), i.first_seen, i.key};
  const auto at =
      std::upper_bound(rule.examples.begin(), rule.examples.end(), example,
                       [&](const Example& a, const Example& b) { return place(a) < place(b); });
  if (at == rule.examples.end() && rule.examples.size() >= kExamplesMax) return;
  rule.examples.insert(at, std::move(example));
  if (rule.examples.size() > kExamplesMax) rule.examples.pop_back();
}

void Backtest::finish(const Engine& engine) {
  for (const Engine::RuleMatches& m : engine.rule_matches()) {
    Rule& rule = rules_[std::string(m.id)];
    rule.title = m.title;
    rule.type = m.type;
    rule.matches = m.matches;
    rule.loaded = true;
  }
  for (auto& [id, rule] : rules_) {
    std::sort(rule.ids.begin(), rule.ids.end());
    if (!rule.loaded) rule.matches = rule.ids.size();  // a campaign
  }
}

std::vector<Backtest::Row> Backtest::rows(const Backtest* before) const {
  static const Rule kNothing;
  std::vector<Row> out;
  for (const auto& [id, rule] : rules_) out.push_back({&id, &rule, nullptr});
  if (before != nullptr) {
    for (Row& row : out) {
      if (const auto it = before->rules_.find(*row.id); it != before->rules_.end())
        row.before = &it->second;
    }
    for (const auto& [id, rule] : before->rules_) {
      if (!rules_.contains(id)) out.push_back({&id, nullptr, &rule});
    }
    for (Row& row : out) {
      const Rule& now = row.now == nullptr ? kNothing : *row.now;
      const Rule& then = row.before == nullptr ? kNothing : *row.before;
      row.added = only_in(now.ids, then.ids);
      row.gone = only_in(then.ids, now.ids);
    }
  }
  const auto weight = [](const Row& r) { return (r.now != nullptr ? r.now : r.before)->matches; };
  std::stable_sort(out.begin(), out.end(),
                   [&](const Row& a, const Row& b) { return weight(a) > weight(b); });
  return out;
}

void Backtest::write_row(const Row& row, bool compared, std::string& out) {
  const Rule& rule = *(row.now != nullptr ? row.now : row.before);
  JsonWriter w(out);
  w.open_object();
  w.field("rule", *row.id);
  w.field("title", rule.title);
  w.field("type", rule.type);
  const uint64_t none = 0;
  w.field("matches", row.now == nullptr ? none : rule.matches);
  w.field("incidents", row.now == nullptr ? none : uint64_t{rule.ids.size()});
  if (compared) {
    if (row.before == nullptr || row.now == nullptr)
      w.field("only", row.now == nullptr ? "before" : "now");
    w.open_object("before");
    w.field("matches", row.before == nullptr ? none : row.before->matches);
    w.field("incidents", row.before == nullptr ? none : uint64_t{row.before->ids.size()});
    w.close_object();
    w.field("incidents_added", row.added);
    w.field("incidents_gone", row.gone);
  }
  w.open_object("agencies");
  for (const auto& [agency, incidents] : rule.by_agency) {
    w.key_escaped(agency);
    w.number(incidents);
  }
  w.close_object();
  w.open_array("examples");
  for (const Example& e : rule.examples) {
    w.open_object();
    w.field("incident_id", e.incident_id);
    w.field("agency", e.agency);
    w.field("first_seen", e.first_seen);
    events::write_key(e.key, w);
    w.close_object();
  }
  w.close_array();
  w.close_object();
  out.push_back('\n');
}

Result<> Backtest::write(const std::string& folder, const Backtest* before) const {
  std::string out;
  for (const Row& row : rows(before)) write_row(row, before != nullptr, out);
  const std::string path = folder + "/backtest.json";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return fail(path + ": " + std::strerror(errno));
  bool ok = std::fwrite(out.data(), 1, out.size(), file) == out.size();
  ok &= std::fclose(file) == 0;
  return ok ? Result<>() : fail(path + ": " + std::strerror(errno == 0 ? EIO : errno));
}

std::string Backtest::table(const Backtest* before) const {
  constexpr size_t kTitle = 48;
  std::string out = fmt::format("{} {:>10} {:>10}", cut_to("rule", kTitle), "matches", "incidents");
  if (before != nullptr)
    out += fmt::format(" {:>10} {:>10} {:>8} {:>8}", "matches", "incidents", "added", "gone");
  out += before != nullptr ? fmt::format("\n{} {:>21} {:>21}", cut_to("", kTitle), "now", "before")
                           : std::string();
  out += '\n';
  static const Rule kNothing;
  for (const Row& row : rows(before)) {
    const Rule& now = row.now == nullptr ? kNothing : *row.now;
    const Rule& then = row.before == nullptr ? kNothing : *row.before;
    const std::string& title = (row.now != nullptr ? now : then).title;
    out += fmt::format("{} {:>10} {:>10}", cut_to(title.empty() ? *row.id : title, kTitle),
                       now.matches, now.ids.size());
    if (before != nullptr) {
      out += fmt::format(" {:>10} {:>10} {:>8} {:>8}", then.matches, then.ids.size(), row.added,
                         row.gone);
      if (row.now == nullptr) out += "  only before";
      if (row.before == nullptr) out += "  only now";
    }
    out += '\n';
  }
  return out;
}

}  // namespace vong::correlator
