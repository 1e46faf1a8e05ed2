#include "sensor/applayer/core/detector.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/strings.h"

namespace vong::applayer {
namespace {

constexpr size_t kProbesMax = 64;  // DetectionState::probes_refused has a bit for each
// Bytes after which nobody waits for a pattern to be confirmed: the longest header that one asks for.
constexpr size_t kConfirmBytes = 40;
// Bytes after which a probe that is still unsure counts as having refused.
constexpr size_t kProbeBytesMax = 16;

std::string settings_path(const ProtocolDef& def, std::string_view rest) {
  return std::string("app-layer.protocols.").append(def.name).append(".").append(rest);
}

bool bytes_equal(const uint8_t* data, std::string_view pattern, bool nocase) {
  if (!nocase) return std::memcmp(data, pattern.data(), pattern.size()) == 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (ascii_lower(data[i]) != ascii_lower(static_cast<uint8_t>(pattern[i]))) return false;
  }
  return true;
}

bool pattern_matches(const ProbePattern& p, Bytes data) {
  const size_t last =
      p.at + std::max<size_t>(p.within, p.bytes.size());  // end of the area where it may stand
  for (size_t at = p.at; at + p.bytes.size() <= std::min(last, data.size()); ++at) {
    if (bytes_equal(data.data() + at, p.bytes, p.nocase)) return true;
  }
  return false;
}

void parse_ports(std::string_view text, std::vector<uint16_t>& out) {
  for (std::string_view part : split(text, ',')) {
    part = strip(part);
    uint16_t port = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), port);
    if (error == std::errc() && end == part.data() + part.size()) out.push_back(port);
  }
}

// detection-ports.dp of the protocol or of its tcp/udp part; what the table says when the settings
// are silent.
std::vector<uint16_t> ports_of(const Settings& settings, const ProtocolDef& def, bool tcp) {
  std::vector<uint16_t> ports;
  for (const std::string& path :
       {settings_path(def, tcp ? "tcp.detection-ports.dp" : "udp.detection-ports.dp"),
        settings_path(def, "detection-ports.dp")}) {
    if (!settings.has(path)) continue;
    if (const auto text = settings.get(path)) parse_ports(*text, ports);
    for (const std::string& child : settings.children(path))
      parse_ports(settings.text(path + "." + child, ""), ports);
    if (!ports.empty()) return ports;
  }
  return {def.probe.ports.begin(), def.probe.ports.end()};
}

constexpr uint16_t kFirstFreePort = 1024;   // servers of registered protocols stand below it (RFC 6335 6)

bool contains(const std::vector<uint16_t>& ports, uint16_t port) {
  return std::ranges::find(ports, port) != ports.end();
}

}  // namespace

ProtocolMode protocol_mode(const Settings& settings, const ProtocolDef& def, bool tcp) {
  std::optional<std::string_view> text =
      settings.get(settings_path(def, tcp ? "tcp.enabled" : "udp.enabled"));
  if (!text) text = settings.get(settings_path(def, "enabled"));
  if (!text) return def.enabled_by_default ? ProtocolMode::kOn : ProtocolMode::kOff;
  if (*text == "detection-only") return ProtocolMode::kDetectionOnly;
  return parse_flag(*text).value_or(true) ? ProtocolMode::kOn : ProtocolMode::kOff;
}

Detector::Detector(const Settings& settings, std::span<const ProtocolDef* const> protocols)
    : midstream_(settings.flag("stream.midstream", false)) {
  for (const ProtocolDef* def : protocols) {
    for (const bool tcp : {false, true}) {
      if (!(tcp ? def->probe.tcp : def->probe.udp)) continue;
      if (protocol_mode(settings, *def, tcp) == ProtocolMode::kOff) continue;
      for (const ProbePattern& p : def->probe.patterns) {
        PatternSet& set = sets_[tcp][index(p.direction)];
        set.patterns.push_back({def->id, p});
        set.depth = std::max<size_t>(set.depth, p.at + std::max<size_t>(p.within, p.bytes.size()));
      }
      const ProbeFn fn = !tcp && def->probe.datagram_probe != nullptr ? def->probe.datagram_probe
                                                                      : def->probe.probe;
      if (fn != nullptr && probes_[tcp].size() < kProbesMax) {
        probes_[tcp].push_back({def->id, fn, ports_of(settings, *def, tcp), def->probe.min_bytes});
      }
    }
  }
}

AppProto Detector::match_patterns(const PatternSet& set, Bytes data) {
  for (const Pattern& p : set.patterns) {
    if (pattern_matches(p.pattern, data)) return p.proto;
  }
  return AppProto::kUnknown;
}

// Probes that look at every port stand for patterns that need confirmation: `unsure` is set when one needs more bytes for it.
Detector::Verdict Detector::ask_probes(bool tcp, Direction d, Bytes data, bool with_ports, Ports ports, DetectionState& state, bool& unsure) const {
  for (size_t i = 0; i < probes_[tcp].size(); ++i) {
    const Probe& probe = probes_[tcp][i];
    if (probe.ports.empty() == with_ports || (state.probes_refused >> i & 1)) continue;
    // The service's port is the one that the flow goes to; a flow met in the middle may stand the other way round.
    if (with_ports && !contains(probe.ports, ports.dst) && !(midstream_ && contains(probe.ports, ports.src))) continue;
    if (data.size() < probe.min_bytes) {
      unsure = true;
      continue;
    }
    switch (probe.fn(d, data)) {
      case ProbeVerdict::kYes: return {probe.proto, false};
      case ProbeVerdict::kReversed: return {probe.proto, true};
      case ProbeVerdict::kEitherWay: return {probe.proto, ports.src < kFirstFreePort && ports.dst >= kFirstFreePort};
      case ProbeVerdict::kMoreData:
        if (with_ports && tcp && data.size() > kProbeBytesMax) state.probes_refused |= uint64_t{1} << i;
        else unsure = true;
        break;
      case ProbeVerdict::kNo: state.probes_refused |= uint64_t{1} << i; break;
    }
  }
  return {};
}

Detector::Verdict Detector::detect(bool tcp, Direction d, Bytes data, Ports ports, bool may_reverse, DetectionState& state) const {
  if (!state.patterns_done) {
    if (const AppProto p = match_patterns(sets_[tcp][index(d)], data); p != AppProto::kUnknown)
      return {p, false};
    if (may_reverse) {
      if (const AppProto p = match_patterns(sets_[tcp][index(opposite(d))], data);
          p != AppProto::kUnknown)
        return {p, true};
    }
    bool unsure = false;
    if (const Verdict v = ask_probes(tcp, d, data, false, ports, state, unsure); v.proto != AppProto::kUnknown) return v;
    if (data.size() >= (unsure ? kConfirmBytes : sets_[tcp][index(d)].depth)) state.patterns_done = true;
  }
  if (!state.probes_done) {
    bool unsure = false;
    if (const Verdict v = ask_probes(tcp, d, data, true, ports, state, unsure); v.proto != AppProto::kUnknown) return v;
    state.probes_done = !unsure;
  }
  return {};
}

}  // namespace vong::applayer
