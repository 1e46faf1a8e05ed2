#include "telemetry/ledger/ledger.h"

#include <openssl/sha.h>

#include "base/encode.h"
#include "base/json_writer.h"

namespace vong::ledger {
namespace {

void write_reasons(JsonWriter& out, Kind kind, const HopTotals& now, const HopTotals& before) {
  out.open_object(name_of(kind));
  for (std::size_t i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<Reason>(i);
    const uint64_t n = now[reason] - before[reason];
    if (kind_of(reason) == kind && n != 0) out.field(name_of(reason), n);
  }
  out.close_object();
}

void write_hop(JsonWriter& out, Hop hop, const HopTotals& now, const HopTotals& before) {
  out.open_object();
  out.field("hop", name_of(hop));
  out.field("unit", counts_packets(hop) ? "packets" : "events");
  out.field("held_before", before.held);
  out.field("in", now.in - before.in);
  write_reasons(out, Kind::kAdded, now, before);
  out.field("out", now.out - before.out);
  write_reasons(out, Kind::kDropped, now, before);
  if (counts_packets(hop)) write_reasons(out, Kind::kNotInspected, now, before);
  out.field("held_after", now.held);
  out.close_object();
}

}  // namespace

uint64_t HopTotals::sum(Kind kind) const {
  uint64_t n = 0;
  for (std::size_t i = 0; i < kReasons; ++i) {
    if (kind_of(static_cast<Reason>(i)) == kind) n += reasons[i];
  }
  return n;
}

int64_t HopTotals::balance() const {
  return static_cast<int64_t>(in + sum(Kind::kAdded)) -
         static_cast<int64_t>(out + sum(Kind::kDropped) + sum(Kind::kNotInspected));
}

Totals& Totals::operator+=(const Totals& other) {
  for (std::size_t h = 0; h < kHops; ++h) {
    HopTotals& mine = hops[h];
    const HopTotals& theirs = other.hops[h];
    mine.present = mine.present || theirs.present;
    mine.in += theirs.in;
    mine.out += theirs.out;
    mine.held += theirs.held;
    for (std::size_t r = 0; r < kReasons; ++r) mine.reasons[r] += theirs.reasons[r];
  }
  return *this;
}

uint64_t Totals::sum(Reason reason) const {
  uint64_t n = 0;
  for (const HopTotals& hop : hops) n += hop[reason];
  return n;
}

std::string digest_of(std::string_view line) {
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const uint8_t*>(line.data()), line.size(), digest.data());
  return hex_of(Bytes(digest));
}

std::string Ledger::record(const Totals& totals, Timestamp now, std::string_view ruleset,
                           bool final) {
  std::string line;
  JsonWriter out(line);
  out.open_object();
  out.field("timestamp", now);
  out.field("event_type", "ledger");
  if (!identity_.sensor.empty()) out.field("host", identity_.sensor);
  out.open_object("ledger");
  out.field("format", 1);
  out.field("sensor", identity_.sensor);
  out.field("version", identity_.version);
  out.field("start", identity_.start);
  out.field("number", chain_.next_number);
  out.field("first_of_run", first_);
  out.field("last_of_run", final);
  out.field("from", from_);
  out.field("to", now);
  out.field("ruleset", ruleset);
  out.open_array("hops");
  for (std::size_t h = 0; h < kHops; ++h) {
    if (totals.hops[h].present)
      write_hop(out, static_cast<Hop>(h), totals.hops[h], before_.hops[h]);
  }
  out.close_array();
  out.field("previous", chain_.previous);
  out.close_object();
  out.close_object();

  before_ = totals;
  from_ = now;
  first_ = false;
  chain_.previous = digest_of(line);
  ++chain_.next_number;
  return line;
}

}  // namespace vong::ledger
