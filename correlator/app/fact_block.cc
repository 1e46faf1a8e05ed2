#include "correlator/app/fact_block.h"

#include <cstring>

#include "correlator/app/fact.h"
#include "correlator/app/flat_bytes.h"

namespace vong::correlator {

uint32_t FactBlockWriter::name(std::string_view text) {
  if (const auto it = ids_.find(text); it != ids_.end()) return it->second;
  const auto id = static_cast<uint32_t>(names_.size());
  names_.emplace_back(text);
  ids_.emplace(std::string(text), id);
  return id;
}

template <typename N, typename F>
uint32_t FactBlockWriter::known(std::vector<uint32_t>& cache, N number, F&& text) {
  if (cache.size() <= number) cache.resize(static_cast<size_t>(number) + 1);
  uint32_t& id = cache[number];
  if (id == 0) id = name(text()) + 1;
  return id - 1;
}

void FactBlockWriter::item(char kind, std::string_view source, uint32_t epoch) {
  ++items_;
  if (names_.empty() || source != last_source_) {
    last_source_.assign(source);
    last_source_id_ = name(source);
  }
  body_.push_back(kind);
  put(body_, last_source_id_);
  put(body_, epoch);
}

void FactBlockWriter::add_fact(std::string_view source, uint32_t epoch, const ingest::OrderKey& key,
                               std::string_view fact) {
  const FactView view(fact);
  const bool control = view.control() != Control::kNone;
  item(control ? block::kControl : block::kFact, source, epoch);
  put(body_, key);
  put(body_, static_cast<uint32_t>(fact.size()));
  const size_t at = body_.size();
  body_.append(fact);
  if (control) return;
  state::EventRef ref = view.ref;
  ref.sensor = known(sensors_, ref.sensor, [&] { return engine_->sensor_name(ref.sensor); });
  ref.event_type = static_cast<uint16_t>(known(
      event_types_, ref.event_type, [&] { return engine_->event_type_name(ref.event_type); }));
  ref.agency = static_cast<enrich::AgencyIndex>(
      known(agencies_, ref.agency, [&] { return std::string(engine_->agency_name(ref.agency)); }));
  std::memcpy(body_.data() + at, static_cast<const void*>(&ref), sizeof ref);
  for (size_t i = 0; i < view.rule_count(); ++i) {
    const uint32_t rule = view.rule(i);
    const uint32_t id = known(rules_, rule, [&] {
      return engine_->rule_name(engine_->rules().detections[rule].incident_rule);
    });
    const auto offset = static_cast<size_t>(view.rules_bytes.data() - fact.data());
    std::memcpy(body_.data() + at + offset + i * sizeof id, &id, sizeof id);
  }
}

void FactBlockWriter::add_raised(std::string_view source, uint32_t epoch, const Raised& raised,
                                 const Engine& of) {
  item(block::kRaised, source, epoch);
  Raised named = raised;
  named.incident_rule = name(of.rule_name(raised.incident_rule));
  for (state::EventRef& ref : named.match.evidence) {
    ref.sensor = name(of.sensor_name(ref.sensor));
    ref.event_type = static_cast<uint16_t>(name(of.event_type_name(ref.event_type)));
    ref.agency = static_cast<enrich::AgencyIndex>(name(of.agency_name(ref.agency)));
  }
  scratch_.clear();
  write_raised(named, scratch_);
  put_text(body_, scratch_);
}

void FactBlockWriter::add_status(std::string_view source, std::string_view json) {
  item(block::kStatus, source, 0);
  put_text(body_, json);
}

void FactBlockWriter::add_rules(bool begins, std::string_view json) {
  item(begins ? block::kRulesBegin : block::kRulesStand, {}, 0);
  put_text(body_, json);
}

void FactBlockWriter::add_mark(std::string_view source, const SourceMark& mark) {
  ++marks_;
  put(marks_body_, name(source));
  put(marks_body_, mark.reached_ns);
  put(marks_body_, mark.newest_ns);
  put(marks_body_, mark.epoch);
  put(marks_body_, static_cast<uint8_t>(mark.idle));
}

std::string FactBlockWriter::take() {
  std::string out(block::kMagic);
  put(out, static_cast<uint32_t>(names_.size()));
  for (const std::string& n : names_) put_text(out, n);
  const std::vector<std::string>& columns = engine_->rules().columns;
  put(out, static_cast<uint32_t>(columns.size()));
  for (const std::string& c : columns) put_text(out, c);
  put(out, items_);
  out += body_;
  put(out, marks_);
  out += marks_body_;
  *this = FactBlockWriter(*engine_);
  return out;
}

}  // namespace vong::correlator
