#include "correlator/coverage/board.h"

#include <algorithm>
#include <cmath>

#include "base/json_writer.h"
#include "correlator/coverage/limits.h"

namespace vong::coverage {
namespace {

constexpr int64_t kMinute = 60'000'000'000, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr int64_t kForceWithin = 30 * kDay, kCheckWithin = 366 * kDay;
constexpr double kWatchedShare = 0.95;

double rounded(double x) { return std::round(x * 1000.0) / 1000.0; }

// What has come since the last status; a sensor that has started anew counts from zero.
uint64_t growth(uint64_t before, uint64_t now, bool restarted) {
  return restarted || now < before ? now : now - before;
}

}  // namespace

struct Board::Figures {
  size_t registered = 0, alive = 0, with_wanted_rules = 0;
  double hours = 0;  // of 24, the mean of its sensors
  uint64_t packets = 0, dropped = 0, not_inspected = 0, unsent = 0, oldest_unsent_s = 0;
  std::vector<std::string> silent, other_rules;
  bool declared[4] = {}, measured[4] = {};
  [[nodiscard]] bool complete() const {
    return std::all_of(std::begin(measured), std::end(measured), [](bool m) { return m; });
  }
};

Board::Board(const enrich::Registry& registry, std::string wanted_rules, Sink sink,
             int64_t interval_ns)
    : registry_(registry),
      wanted_rules_(std::move(wanted_rules)),
      interval_ns_(interval_ns),
      sink_(std::move(sink)),
      last_verdict_ns_(registry.agencies().size(), INT64_MIN) {
  for (enrich::AgencyIndex i = 0; i < registry.agencies().size(); ++i) {
    if (registry.agencies()[i].until_ns != INT64_MAX) continue;
    for (const std::string& name : registry.agencies()[i].sensors) sensors_[name].agency = i;
  }
}

void Board::mark(Sensor& s, int64_t from_ns, int64_t to_ns) {
  const int64_t last = to_ns / kMinute;
  // What lies more than a day back is forgotten: the minutes between were silent.
  const auto slots = static_cast<int64_t>(kMinutes);
  if (s.newest_minute < last - slots) s.minutes.reset();
  const int64_t oldest = std::max<int64_t>(last - slots + 1, 0);  // a clock before 1970 marks none
  for (int64_t m = std::max(s.newest_minute + 1, oldest); m <= last; ++m)
    s.minutes.reset(static_cast<size_t>(m % slots));
  s.newest_minute = std::max(s.newest_minute, last);
  for (int64_t m = std::max(from_ns / kMinute + 1, oldest); m <= last; ++m)
    s.minutes.set(static_cast<size_t>(m % slots));
}

bool Board::on_status(const Status& status) {
  auto it = sensors_.find(status.sensor);
  if (it == sensors_.end()) {
    const enrich::AgencyIndex agency = registry_.find(status.agency);
    if (agency == enrich::kNoAgency || sensors_.size() >= kSensorsMax) return false;
    it = sensors_.emplace(status.sensor, Sensor()).first;
    it->second.agency = agency;
  }
  Sensor& s = it->second;
  if (s.last.time_ns >= status.time_ns && !s.last.sensor.empty()) return true;
  // Reports stand on the full hour (interval): what came before it is in it.
  if (now_ns_ != INT64_MIN && status.time_ns >= next_report_ns_) {
    now_ns_ = std::max(now_ns_, next_report_ns_);
    report();
  }
  const bool first = s.last.sensor.empty(), restarted = s.last.start != status.start;
  if (!first) {
    s.packets += growth(s.last.packets, status.packets, restarted);
    s.dropped += growth(s.last.dropped, status.dropped, restarted);
    s.not_inspected += growth(s.last.not_inspected, status.not_inspected, restarted);
  }
  s.last = status;
  mark(s, status.time_ns - status.interval_ns, status.time_ns);
  now_ns_ = std::max(now_ns_, status.time_ns);
  next_report_ns_ = (now_ns_ / interval_ns_ + 1) * interval_ns_;
  return true;
}

void Board::on_verdict(enrich::AgencyIndex agency, int64_t time_ns) {
  if (agency < last_verdict_ns_.size())
    last_verdict_ns_[agency] = std::max(last_verdict_ns_[agency], time_ns);
}

bool Board::alive(const Sensor& s) const {
  return !s.last.sensor.empty() && s.last.time_ns > now_ns_ - 3 * s.last.interval_ns;
}

double Board::hours_of(const Sensor& s) const {
  if (s.newest_minute < 0) return 0;
  const auto slots = static_cast<int64_t>(kMinutes);
  const int64_t now = now_ns_ / kMinute;
  size_t heard = 0;
  const int64_t oldest = std::max<int64_t>(now - slots + 1, 0);
  for (int64_t m = std::max(oldest, s.newest_minute - slots + 1); m <= s.newest_minute; ++m)
    heard += s.minutes.test(static_cast<size_t>(m % slots));
  return static_cast<double>(heard) / 60.0;
}

std::vector<Board::Figures> Board::figures() const {
  std::vector<Figures> all(registry_.agencies().size());
  for (const auto& [name, s] : sensors_) {
    Figures& f = all[s.agency];
    ++f.registered;
    f.hours += hours_of(s);
    f.packets += s.packets;
    f.dropped += s.dropped;
    f.not_inspected += s.not_inspected;
    if (!alive(s)) {
      f.silent.push_back(name);
      continue;
    }
    ++f.alive;
    f.unsent += s.last.unsent_events;
    f.oldest_unsent_s = std::max(f.oldest_unsent_s, s.last.oldest_unsent_seconds);
    if (wanted_rules_.empty() || s.last.rules_hash == wanted_rules_)
      ++f.with_wanted_rules;
    else
      f.other_rules.push_back(name);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    Figures& f = all[i];
    const enrich::Agency& a = registry_.agencies()[i];
    if (f.registered > 0) f.hours /= static_cast<double>(f.registered);
    for (size_t l = 0; l < 4; ++l) f.declared[l] = a.layers[l];
    f.measured[0] = last_verdict_ns_[i] > now_ns_ - kForceWithin;
    f.measured[1] = f.hours >= 24 * kWatchedShare && f.with_wanted_rules == f.registered;
    f.measured[2] = a.checked_ns > now_ns_ - kCheckWithin;
    f.measured[3] = f.alive > 0 && a.sharing != enrich::Sharing::kNothing;
  }
  return all;
}

// Others may have followed it.
bool Board::ended(enrich::AgencyIndex agency) const {
  return registry_.agencies()[agency].until_ns <= now_ns_;
}

namespace {

void write_names(JsonWriter& w, std::string_view key, const std::vector<std::string>& names) {
  w.open_array(key);
  for (size_t i = 0; i < names.size() && i < kNamesMax; ++i) w.string(names[i]);
  w.close_array();
}

}  // namespace

void Board::write(enrich::AgencyIndex agency, const Figures& f) {
  const enrich::Agency& a = registry_.agencies()[agency];
  json_.clear();
  JsonWriter w(json_);
  w.open_object();
  w.field("timestamp", timestamp_from_ns(now_ns_));
  w.field("scope", "agency");
  w.field("agency", a.id);
  w.open_object("sensors");
  w.field("registered", f.registered);
  w.field("alive", f.alive);
  write_names(w, "silent", f.silent);
  w.close_object();
  w.open_object("rules");
  if (!wanted_rules_.empty()) w.field("wanted", wanted_rules_);
  w.field("in_force", f.with_wanted_rules);
  write_names(w, "other", f.other_rules);
  w.close_object();
  w.key("hours_covered");
  w.real(rounded(f.hours));
  w.open_object("blind");
  w.field("packets", f.packets);
  w.field("dropped", f.dropped);
  w.field("not_inspected", f.not_inspected);
  w.key("share");
  const double all = static_cast<double>(f.packets + f.dropped);
  w.real(all == 0 ? 0
                  : rounded(std::min(1.0, static_cast<double>(f.dropped + f.not_inspected) / all)));
  w.field("unsent_events", f.unsent);
  w.field("oldest_unsent_seconds", f.oldest_unsent_s);
  w.close_object();
  w.open_object("layers");
  for (size_t l = 0; l < 4; ++l) {
    w.open_object(enrich::kLayers[l]);
    w.field("declared", f.declared[l]);
    w.field("measured", f.measured[l]);
    w.close_object();
  }
  w.close_object();
  w.field("complete", f.complete());
  w.close_object();
  sink_(a.id, json_);
}

void Board::write_nation(const std::vector<Figures>& all) {
  size_t registered = 0, alive = 0, complete = 0, declared = 0, by_layer[4] = {};
  double hours = 0;
  for (const Figures& f : all) {
    registered += f.registered;
    alive += f.alive;
    complete += f.complete();
    declared += std::all_of(std::begin(f.declared), std::end(f.declared), [](bool d) { return d; });
    hours += f.hours;
    for (size_t l = 0; l < 4; ++l) by_layer[l] += f.measured[l];
  }
  const double agencies = static_cast<double>(all.size());
  json_.clear();
  JsonWriter w(json_);
  w.open_object();
  w.field("timestamp", timestamp_from_ns(now_ns_));
  w.field("scope", "nation");
  w.field("agencies", all.size());
  w.open_object("sensors");
  w.field("registered", registered);
  w.field("alive", alive);
  w.close_object();
  w.key("hours_covered");
  w.real(all.empty() ? 0 : rounded(hours / agencies));
  w.open_object("layers");
  for (size_t l = 0; l < 4; ++l) w.field(enrich::kLayers[l], by_layer[l]);
  w.close_object();
  w.field("complete_declared", declared);
  w.field("complete", complete);
  w.key("share");  // the one figure
  w.real(all.empty() ? 0 : rounded(static_cast<double>(complete) / agencies));
  w.close_object();
  sink_("nation", json_);
}

void Board::report() {
  if (now_ns_ == INT64_MIN) return;
  std::vector<Figures> all = figures(), present;
  for (enrich::AgencyIndex i = 0; i < all.size(); ++i) {
    if (ended(i)) continue;
    write(i, all[i]);
    present.push_back(std::move(all[i]));
  }
  write_nation(present);
  for (auto& [name, s] : sensors_) s.packets = s.dropped = s.not_inspected = 0;
}

Summary Board::summary() const {
  Summary out;
  if (now_ns_ == INT64_MIN) return out;
  const std::vector<Figures> all = figures();
  for (enrich::AgencyIndex i = 0; i < all.size(); ++i) {
    if (ended(i)) continue;
    const Figures& f = all[i];
    ++out.agencies;
    out.agencies_complete += f.complete();
    out.sensors_registered += f.registered;
    out.sensors_alive += f.alive;
  }
  return out;
}

}  // namespace vong::coverage
