#include "telemetry/ledger/verify.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace vong::ledger {
namespace {

using Json = nlohmann::json;
constexpr uint64_t kCountMax = uint64_t{1} << 60;  // sums of a few of them stay within 64 bits

// Reads members of one object; the first fault stays in `problem`.
struct Reader {
  const Json& object;
  std::string& problem;

  const Json* find(const char* key) {
    const auto at = object.find(key);
    if (at != object.end()) return &*at;
    if (problem.empty()) problem = fmt::format("has no \"{}\"", key);
    return nullptr;
  }
  std::string text(const char* key) {
    const Json* v = find(key);
    if (v == nullptr) return {};
    if (v->is_string()) return v->get<std::string>();
    if (problem.empty()) problem = fmt::format("\"{}\" is no text", key);
    return {};
  }
  uint64_t count(const char* key) {
    const Json* v = find(key);
    if (v == nullptr) return 0;
    if (v->is_number_unsigned() && v->get<uint64_t>() < kCountMax) return v->get<uint64_t>();
    if (problem.empty()) problem = fmt::format("\"{}\" is no count", key);
    return 0;
  }
  bool flag(const char* key) {
    const Json* v = find(key);
    if (v == nullptr) return false;
    if (v->is_boolean()) return v->get<bool>();
    if (problem.empty()) problem = fmt::format("\"{}\" is neither true nor false", key);
    return false;
  }
};

void read_reasons(const Json& hop, Kind kind, bool needed, Record::HopCounts& out,
                  std::string& problem) {
  const auto at = hop.find(std::string(name_of(kind)));
  if (at == hop.end() && !needed) return;
  if (at == hop.end() || !at->is_object()) {
    if (problem.empty()) problem = fmt::format("a hop has no object \"{}\"", name_of(kind));
    return;
  }
  Reader reader{*at, problem};
  for (const auto& [name, value] : at->items()) {
    const auto reason = reason_by_name(name);
    if (!reason || kind_of(*reason) != kind) {
      if (problem.empty())
        problem = fmt::format("\"{}\" is no reason of \"{}\"", name, name_of(kind));
      return;
    }
    out[*reason] = reader.count(name.c_str());
  }
}

void read_hop(const Json& hop, Record& out, std::string& problem) {
  if (!hop.is_object()) {
    problem = "a hop is no object";
    return;
  }
  Reader reader{hop, problem};
  const std::string name = reader.text("hop");
  const auto which = hop_by_name(name);
  if (!which) {
    if (problem.empty()) problem = fmt::format("\"{}\" is no hop", name);
    return;
  }
  Record::HopCounts& counts = out.hops[static_cast<std::size_t>(*which)];
  if (counts.present) problem = fmt::format("hop {} stands there twice", name);
  counts.present = true;
  counts.held_before = reader.count("held_before");
  counts.in = reader.count("in");
  counts.out = reader.count("out");
  counts.held = reader.count("held_after");
  read_reasons(hop, Kind::kAdded, true, counts, problem);
  read_reasons(hop, Kind::kDropped, true, counts, problem);
  read_reasons(hop, Kind::kNotInspected, counts_packets(*which), counts, problem);
}

std::optional<std::string> check_balance(const Record& r) {
  const Record::HopCounts* upstream = nullptr;  // the hop before, of the same unit
  Hop upstream_hop{};
  for (std::size_t h = 0; h < kHops; ++h) {
    const Record::HopCounts& c = r.hops[h];
    const auto hop = static_cast<Hop>(h);
    if (hop == Hop::kEmit) upstream = nullptr;  // events are counted from here on
    if (!c.present) continue;
    const uint64_t came = c.held_before + c.in + c.sum(Kind::kAdded);
    const uint64_t went = c.out + c.sum(Kind::kDropped) + c.sum(Kind::kNotInspected) + c.held;
    if (came != went) {
      return fmt::format(
          "hop {} does not balance: {} held before + {} in + {} added are {}, {} out + {} dropped "
          "+ {} not inspected + {} held after are {}",
          name_of(hop), c.held_before, c.in, c.sum(Kind::kAdded), came, c.out,
          c.sum(Kind::kDropped), c.sum(Kind::kNotInspected), c.held, went);
    }
    if (upstream != nullptr && upstream->out != c.in) {
      return fmt::format("hop {} gave out {}, hop {} took {}", name_of(upstream_hop), upstream->out,
                         name_of(hop), c.in);
    }
    // Every output takes all events: the file and the spool both stand behind emit.
    if (hop == Hop::kFile) continue;
    upstream = &c;
    upstream_hop = hop;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Record> parse_record(std::string_view line, std::string& problem) {
  problem.clear();
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    problem = "is not one JSON object";
    return std::nullopt;
  }
  const auto body = json.find("ledger");
  if (body == json.end() || !body->is_object()) {
    problem = "has no object \"ledger\"";
    return std::nullopt;
  }
  Reader reader{*body, problem};
  Record r;
  if (reader.count("format") != 1 && problem.empty())
    problem = "has a format that is not known here";
  r.sensor = reader.text("sensor");
  r.start = reader.text("start");
  r.number = reader.count("number");
  r.first_of_run = reader.flag("first_of_run");
  r.last_of_run = reader.flag("last_of_run");
  r.from = reader.text("from");
  r.to = reader.text("to");
  r.previous = reader.text("previous");
  const Json* hops = reader.find("hops");
  if (problem.empty() && !hops->is_array()) problem = "\"hops\" is no list";
  if (problem.empty()) {
    for (const Json& hop : *hops) {
      read_hop(hop, r, problem);
      if (!problem.empty()) break;
    }
  }
  if (!problem.empty()) return std::nullopt;
  return r;
}

std::optional<std::string> Verifier::check_chain(const Record& r) const {
  if (!before_) {
    if (r.number == 0 && !r.previous.empty()) return "is number 0 and names a record before it";
    if (r.number != 0 && r.previous.empty())
      return fmt::format("is number {} and names no record before it", r.number);
    return std::nullopt;
  }
  if (r.sensor != before_->sensor)
    return fmt::format("is of sensor \"{}\", the one before of \"{}\"", r.sensor, before_->sensor);
  if (r.number != chain_.next_number) {
    return fmt::format("is number {} where {} follows: records are missing or in another order",
                       r.number, chain_.next_number);
  }
  if (r.previous != chain_.previous) {
    return fmt::format(
        "names {} as the record before it, which is {}: the record before was changed", r.previous,
        chain_.previous);
  }
  return std::nullopt;
}

std::optional<std::string> Verifier::check_run(const Record& r) const {
  if (r.from != r.start && r.first_of_run)
    return "is a run's first record and does not begin with the run";
  if (r.first_of_run) {
    for (std::size_t h = 0; h < kHops; ++h) {
      if (r.hops[h].held_before != 0)
        return fmt::format("begins a run with something held in hop {}",
                           name_of(static_cast<Hop>(h)));
    }
    return std::nullopt;
  }
  if (!before_) return std::nullopt;  // the file begins in the middle
  if (before_->last_of_run) return "goes on after the last record of its run";
  if (r.start != before_->start) return "belongs to another run and is not its first record";
  if (r.from != before_->to)
    return fmt::format("begins at {}, the record before ends at {}", r.from, before_->to);
  for (std::size_t h = 0; h < kHops; ++h) {
    const uint64_t had = before_->hops[h].held, has = r.hops[h].held_before;
    if (had != has) {
      return fmt::format(
          "hop {} held {} at the end of the record before, {} at the beginning of this one",
          name_of(static_cast<Hop>(h)), had, has);
    }
  }
  return std::nullopt;
}

std::optional<std::string> Verifier::add(std::string_view line) {
  std::string problem;
  auto r = parse_record(line, problem);
  if (!r) return problem;
  if (auto wrong = check_chain(*r)) return wrong;
  if (auto wrong = check_run(*r)) return wrong;
  if (auto wrong = check_balance(*r)) return wrong;
  if (!before_) summary_.first_previous = r->previous;
  if (before_ && r->first_of_run && !before_->last_of_run) ++summary_.unclean_ends;
  ++summary_.records;
  summary_.runs += r->first_of_run || !before_;
  for (std::size_t h = 0; h < kHops; ++h) {
    summary_.in[h] += r->hops[h].in;
    for (std::size_t i = 0; i < kReasons; ++i) summary_.reasons[i] += r->hops[h].reasons[i];
  }
  chain_ = {r->number + 1, digest_of(line)};
  before_ = std::move(r);
  return std::nullopt;
}

}  // namespace vong::ledger
