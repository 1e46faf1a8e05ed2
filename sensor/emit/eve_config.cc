#include "sensor/emit/eve_config.h"

#include <array>

#include "base/strings.h"
#include "fmt/format.h"

namespace vong::emit {
namespace {

// What the reference's shipped configuration has on. Both names of a record that changed its
// spelling are accepted as keys.
constexpr std::array<std::string_view, 30> kDefaultRecords = {
    "http",  "dns",  "mdns", "tls",    "smtp", "websocket",      "ftp",   "rdp",  "nfs",
    "smb",   "tftp", "ike",  "dcerpc", "krb5", "bittorrent_dht", "snmp",  "rfb",  "sip",
    "quic",  "ldap", "pop3", "dhcp",   "ssh",  "mqtt",           "http2", "doh2", "ftp_data",
    "llmnr", "enip", "dnp3"};

constexpr size_t kFurtherMax = 16;  // files besides the first

std::string canonical(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = c == '-' ? '_' : c;
  return out;
}

// A copy of what stands below `path`, with relative paths.
Settings below(const Settings& settings, std::string_view path) {
  Settings out;
  const std::string prefix = std::string(path) + ".";
  for (auto it = settings.all().lower_bound(prefix);
       it != settings.all().end() && it->first.starts_with(prefix); ++it) {
    out.set(it->first.substr(prefix.size()), it->second);
  }
  return out;
}

void read_hashes(const Settings& options, applayer::FileOptions& out) {
  out.magic = options.flag("force-magic", false);
  const auto add = [&](std::string_view hash) {
    if (equals_ignore_case(hash, "md5")) out.md5 = true;
    if (equals_ignore_case(hash, "sha1")) out.sha1 = true;
    if (equals_ignore_case(hash, "sha256")) out.sha256 = true;
  };
  if (const auto single = options.get("force-hash")) add(*single);
  for (const auto& i : options.children("force-hash")) add(options.text("force-hash." + i, ""));
  if (options.flag("force-md5", false)) out.md5 = true;
}

void read_alert(const Settings& o, const ForwardedFor& xff, AlertOptions& out) {
  out.xff = ForwardedFor::from(o, xff);
  out.payload = o.flag("payload", false);
  out.payload_printable = o.flag("payload-printable", false);
  out.payload_length = o.flag("payload-length", false);
  out.payload_buffer_bytes = o.size_bytes("payload-buffer-size", 4096);
  out.packet = o.flag("packet", false);
  out.http_body = o.flag("http-body", false);
  out.http_body_printable = o.flag("http-body-printable", false);
  out.tagged_packets = o.flag("tagged-packets", true);
  out.verdict = o.flag("verdict", false);
  const bool all = o.flag("metadata", true);
  out.app_layer = o.flag("metadata.app-layer", all);
  out.flow = o.flag("metadata.flow", all);
  out.rule_metadata = o.flag("metadata.rule.metadata", o.has("metadata.rule") ? true : all);
  out.matches = o.flag("metadata.rule.matches", false);
  out.rule_text = o.flag("metadata.rule.raw", false);
  out.reference = o.flag("metadata.rule.reference", false);
}

void read_type(const std::string& name, const Settings& options, EveConfig& config) {
  const bool on = options.flag("enabled", true);
  if (name == "alert") {
    config.alert = on;
    read_alert(options, config.xff, config.alerts);
  } else if (name == "anomaly") {
    config.anomaly = on;
    config.anomalies.decode = options.flag("types.decode", false);
    config.anomalies.stream = options.flag("types.stream", false);
    config.anomalies.applayer = options.flag("types.applayer", true);
    config.anomalies.packethdr = options.flag("packethdr", options.flag("types.packethdr", false));
  } else if (name == "files") {
    config.files = on;
    read_hashes(options, config.file_hashes);
  } else if (name == "flow") {
    config.flow = on;
  } else if (name == "netflow") {
    config.netflow = on;
  } else if (name == "stats") {
    config.stats = on;
    config.stats_totals = options.flag("totals", true);
    config.stats_threads = options.flag("threads", false);
    config.stats_null_values = options.flag("null-values", true);
  } else if (name == "drop") {
    config.drop = on;
  } else if (name == "frame") {
    config.frame = on;
  } else if (name == "arp") {
    config.arp = on;
  } else if (name == "metadata") {
    config.metadata_records = on;
  } else if (on) {
    config.records[canonical(name)] = options;
    if (name == "http") config.http_xff = ForwardedFor::from(options, config.xff);
    // Records that the reference's sections switch on together.
    if (name == "ftp") config.records["ftp_data"] = options;
    if (name == "dns") {
      config.records["llmnr"] = options;
      config.records.try_emplace("mdns", options);
    }
  }
}

EveConfig shipped_default() {
  EveConfig config;
  config.file_hashes.sha256 = true;  // unlike the reference's: what a SOC looks files up by, and cheap
  for (const std::string_view name : kDefaultRecords) config.records.emplace(name, Settings());
  for (const std::string_view name : {"http", "tls", "smtp"})
    config.records[std::string(name)].set("extended", "yes");
  return config;
}

// Single settings below `path` over what `config` has.
void set_over(const Settings& settings, const std::string& path, EveConfig& config) {
  if (!settings.has(path)) return;
  config.enabled = settings.flag(path + ".enabled", config.enabled);
  config.filename = settings.text(path + ".filename", config.filename);
  config.community_id = settings.flag(path + ".community-id", config.community_id);
  config.pcap_file = settings.flag(path + ".pcap-file", config.pcap_file);
  config.ethernet = settings.flag(path + ".ethernet", config.ethernet);
  config.xff = config.http_xff = ForwardedFor::from(below(settings, path), config.xff);
  for (const auto& t : settings.children(path + ".types")) {
    for (const auto& name : settings.children(path + ".types." + t)) {
      Settings options = below(settings, path + ".types." + t + "." + name);
      if (const auto shipped = config.records.find(canonical(name)); shipped != config.records.end()) {
        for (const auto& [key, value] : shipped->second.all()) {
          if (!options.has(key)) options.set(key, value);
        }
        if (!options.flag("enabled", true)) config.records.erase(shipped);
      }
      read_type(name, options, config);
    }
  }
}

EveConfig nothing() {
  EveConfig config;
  config.alert = config.anomaly = config.flow = config.stats = config.files = false;
  return config;
}

EveConfig one_eve_log(const Settings& settings, const std::string& path) {
  EveConfig config = nothing();
  config.section = path;
  config.filename = settings.text(path + ".filename", "eve.json");
  config.community_id = settings.flag(path + ".community-id", false);
  config.community_id_seed = static_cast<uint16_t>(settings.integer(path + ".community-id-seed", 0));
  config.pcap_file = settings.flag(path + ".pcap-file", false);
  config.ethernet = settings.flag(path + ".ethernet", false);
  config.xff = ForwardedFor::from(below(settings, path), {});
  config.metadata = settings.flag(path + ".metadata", true);
  config.suricata_version = settings.flag(path + ".suricata-version", false);
  config.sensor_name = settings.text("sensor-name", "");
  config.exceptions = ExceptionPolicies::from_settings(settings);
  config.http_xff = config.xff;
  for (const auto& t : settings.children(path + ".types")) {
    const std::string entry = path + ".types." + t;
    if (const auto plain = settings.get(entry); plain && !plain->empty()) {  // "- http"
      read_type(std::string(*plain), Settings(), config);
      continue;
    }
    for (const auto& name : settings.children(entry)) read_type(name, below(settings, entry + "." + name), config);
  }
  return config;
}

EveConfig fast_log(const Settings& settings, const std::string& path) {
  EveConfig config = nothing();
  config.form = EveConfig::Form::kFast;
  config.section = path;
  config.filename = settings.text(path + ".filename", "fast.log");
  return config;
}

EveConfig line_log(const Settings& settings, const std::string& path, const applayer::LineLogDef& def) {
  EveConfig config = nothing();
  config.form = EveConfig::Form::kLine;
  config.section = path;
  config.filename = settings.text(path + ".filename", def.filename);
  config.line.def = &def;
  config.line.extended = settings.flag(path + ".extended", false);
  if (settings.flag(path + ".custom", false)) config.line.custom = settings.text(path + ".customformat", "");
  return config;
}

}  // namespace

EveConfig read_eve_config(const Settings& settings) {
  // A list of outputs begins at 0; single later places are set over the shipped list (`--set outputs.1.eve-log...`), whose
  // second entry writes EVE.
  if (!settings.has("outputs.0")) {
    EveConfig config = shipped_default();
    config.sensor_name = settings.text("sensor-name", "");
    config.exceptions = ExceptionPolicies::from_settings(settings);
    set_over(settings, "outputs.1.eve-log", config);
    return config;
  }
  EveConfig first;
  first.enabled = false;
  std::vector<EveConfig> further;
  for (const auto& i : settings.children("outputs")) {
    const std::string path = "outputs." + i;
    if (settings.has(path + ".eve-log") && settings.flag(path + ".eve-log.enabled", true)) {
      EveConfig config = one_eve_log(settings, path + ".eve-log");
      if (first.enabled) further.push_back(std::move(config));
      else first = std::move(config);
    }
    if (settings.has(path + ".fast") && settings.flag(path + ".fast.enabled", true))
      further.push_back(fast_log(settings, path + ".fast"));
    for (const applayer::LineLogDef* def : applayer::line_logs()) {
      const std::string section = fmt::format("{}.{}", path, def->output);
      if (settings.has(section) && settings.flag(section + ".enabled", true)) further.push_back(line_log(settings, section, *def));
    }
  }
  if (further.size() > kFurtherMax) further.resize(kFurtherMax);
  first.further = std::move(further);
  return first;
}

}  // namespace vong::emit
