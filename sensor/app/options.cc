#include "sensor/app/options.h"

#include <map>

namespace vong::sensor {
namespace {

constexpr int kWorkersMax = 256;

// Flags of the reference's guide that ask for what this sensor is not: refused by name, so that nobody believes them served.
struct Refused {
  const char* flag;
  std::string_view why;
};
constexpr Refused kRefused[] = {
    {"--nfqueue", "it stands beside the traffic, not in its way"},
    {"--ipfw", "it stands beside the traffic, not in its way"},
    {"--windivert", "it stands beside the traffic, not in its way"},
    {"--windivert-forward", "it stands beside the traffic, not in its way"},
    {"--firewall", "it stands beside the traffic, not in its way"},
    {"--firewall-rules-exclusive", "it stands beside the traffic, not in its way"},
    {"--reject-dev", "it sends nothing into the traffic"},
    {"--nflog", "packets come from AF_PACKET, libpcap or captures"},
    {"--af-xdp", "packets come from AF_PACKET, libpcap or captures"},
    {"--dpdk", "packets come from AF_PACKET, libpcap or captures"},
    {"--netmap", "packets come from AF_PACKET, libpcap or captures"},
    {"--pfring", "packets come from AF_PACKET, libpcap or captures"},
    {"--pfring-int", "packets come from AF_PACKET, libpcap or captures"},
    {"--pfring-cluster-id", "packets come from AF_PACKET, libpcap or captures"},
    {"--pfring-cluster-type", "packets come from AF_PACKET, libpcap or captures"},
    {"--napatech", "packets come from AF_PACKET, libpcap or captures"},
    {"--dag", "packets come from AF_PACKET, libpcap or captures"},
    {"--erf-in", "captures are pcap or pcapng"},
    {"--unittest-filter", "its tests are programs of their own"},
    {"--list-unittests", "its tests are programs of their own"},
    {"--fatal-unittests", "its tests are programs of their own"},
    {"--unittests-coverage", "its tests are programs of their own"},
    {"-u", "its tests are programs of their own"},
    {"-U", "its tests are programs of their own"},
    {"--service-install", "it runs on Linux"},
};

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& o) {
  CLI::App cli{"vong-sensor: packets in, matched against the rules, EVE JSON events out"};
  app::add_common_flags(cli, o.common);
  cli.add_option("-r", o.captures, "read packets from FILE, every capture of DIR, or - (stdin)")
      ->type_name("FILE|DIR|-")
      ->allow_extra_args(false);
  cli.add_flag("--each", o.each,
               "with -r DIR: every capture a run of its own, results in OUT/<file name>/eve.json");
  cli.add_flag("--pcap-file-continuous", o.continuous,
               "with -r DIR: stay and read files as they appear");
  cli.add_flag("--pcap-file-delete", o.delete_files,
               "with -r DIR: delete files that were read to the end");
  cli.add_flag("--pcap-file-recursive", o.recursive, "with -r DIR: the folders below too");
  cli.add_option("-i", o.interfaces, "watch interface IFACE")->type_name("IFACE")->allow_extra_args(false);
  cli.add_option("-S", o.only_rules, "load only these rules, not the configured ones")
      ->type_name("RULES")->allow_extra_args(false);
  cli.add_option("-s", o.more_rules, "load these rules beside the configured ones")
      ->type_name("RULES")->allow_extra_args(false);
  cli.add_option("--include", o.includes, "configuration file whose sections replace those of -c")
      ->type_name("FILE")->allow_extra_args(false);
  cli.add_option("-F", o.filter_file, "look only at packets that the filter in FILE lets through")->type_name("FILE");
  cli.add_option("FILTER", o.filter, "the same, the filter on the command line (tcpdump's language)");
  cli.add_flag("--disable-detection", o.no_detection, "load no rules");
  cli.add_option("--user", o.user, "user that the sensor becomes (run-as.user)")->type_name("USER");
  cli.add_option("--group", o.group, "group that the sensor becomes (run-as.group)")->type_name("GROUP");
  cli.add_flag("--dump-config", o.dump_config, "print the configuration as read, and end");
  cli.add_option("-l", o.log_dir, "write to this folder; - writes events to stdout")
      ->type_name("DIR");
  cli.add_option("-k", o.checksums, "check checksums: none or all")
      ->check(CLI::IsMember({"none", "all", "auto", "yes", "no"}));
  cli.add_option("--pidfile", o.pid_file, "write the process id to FILE")->type_name("FILE");
  cli.add_option("--runmode", o.run_mode,
                 "single, workers or autofp (all are served by the worker pipeline)");
  cli.add_option("--data-dir,--data", o.data_dir, "folder for state that outlives a run (datasets)")
      ->type_name("DIR");
  cli.add_option(
      "--workers", o.workers,
      "packet workers (default: 1 for files; live as configured, else one per core an interface)")
      ->check(CLI::Range(0, kWorkersMax));
  cli.add_flag("--init-errors-fatal", o.init_errors_fatal,
               "a rule that cannot load ends the start with status 2");
  cli.add_flag("--simulate-ips", o.simulate_ips,
               "treat the stream as an inline device would (verdicts are only reported)");
  cli.add_flag("--strict-rule-keywords", o.strict_keywords,
               "=all or =KEYWORD,...: unknown values of classtype, reference and app-layer-event are errors");
  cli.add_flag("--engine-analysis", o.engine_analysis, "as -T, and write rules_analysis.txt and rules_fast_pattern.txt into the log folder");
  // Known elsewhere, and nothing here depends on them.
  cli.add_option("--pcap-file-buffer-size", o.buffer_size, "taken; the reader chooses its buffer itself")->type_name("BYTES");
  cli.add_flag("--no-random", o.ignored, "taken; what is read from files never depends on chance");
  cli.add_flag("--qa-skip-prefilter", o.ignored, "taken, without effect");
  cli.add_flag("--list-keywords", o.list_keywords, "list the rule keywords and end; =csv with what they do, =KEYWORD that one alone");
  cli.add_flag("--list-app-layer-frames", o.list_frames, "list the frames of each application protocol and end");
  cli.add_flag("--list-rule-protos", o.list_rule_protocols, "list what a rule may name as its protocol and end");
  cli.add_flag("--list-runmodes", o.list_run_modes, "list the run modes and end");
  cli.add_flag("--dump-features", o.list_features, "list what rules may require as a feature and end");
  cli.add_flag("--keyword-reference", o.keyword_reference,
               "print the keyword reference (Markdown) and end");
  cli.add_flag("--config-reference", o.config_reference, "print the configuration reference (Markdown) and end");
  cli.add_flag("--list-app-layer-protos", o.list_protocols,
               "list the application protocols and end");
  cli.add_flag("--build-info", o.build_info, "print what this build consists of and end");
  cli.add_flag("-D", o.daemon, "run in the background once packets are watched; messages go to vong-sensor.log in the log folder");
  cli.add_flag("--af-packet", o.af_packet, "=IFACE: as -i, through AF_PACKET; without a name the interfaces of the configuration");
  cli.add_flag("--pcap", o.pcap, "=IFACE: as -i, through libpcap; without a name the interfaces of the configuration");
  cli.add_flag("--unix-socket", o.unix_socket, "=FILE: take commands on a UNIX socket; without -i or -r wait there for captures");
  std::map<std::string, std::string> refused;   // what was given
  for (const Refused& r : kRefused) cli.add_flag(r.flag, refused[r.flag], "")->group("");
  cli.add_flag("--disable-hashing", o.ignored, "")->group("");   // what asks for hashes says so in the configuration
  cli.allow_extras(false);
  if (const auto status = app::parse_command_line(cli, argc, argv, "vong-sensor")) return status;
  for (const Refused& r : kRefused) {
    if (refused[r.flag].empty()) continue;
    std::fprintf(stderr, "vong-sensor: %s: not served by this sensor: %.*s\n", r.flag, static_cast<int>(r.why.size()), r.why.data());
    return app::kExitUsage;
  }
  for (const std::string& name : {o.af_packet, o.pcap}) {
    if (!name.empty() && name != "true") o.interfaces.push_back(name);
  }
  const bool watches = !o.af_packet.empty() || !o.pcap.empty();
  if (!o.captures.empty() && watches) {
    std::fprintf(stderr, "vong-sensor: -r and --af-packet or --pcap exclude each other\n");
    return app::kExitUsage;
  }
  if (!o.captures.empty() && !o.interfaces.empty()) {
    std::fprintf(stderr, "vong-sensor: -r and -i exclude each other\n");
    return app::kExitUsage;
  }
  if (o.engine_analysis) o.common.test_only = true;
  const bool asks = !o.list_keywords.empty() || o.list_frames || o.list_rule_protocols || o.list_run_modes || o.list_features || o.list_protocols || o.build_info || o.keyword_reference || o.config_reference ||
                    o.dump_config || o.common.test_only;
  if (o.captures.empty() && o.interfaces.empty() && !watches && o.unix_socket.empty() && !asks && o.common.config_file.empty()) {
    std::fprintf(stderr,
                 "vong-sensor: nothing to read: give -r FILE|DIR|- or -i IFACE (see --help)\n");
    return app::kExitUsage;
  }
  return std::nullopt;
}

void take_configured_interfaces(Options& options, Settings& settings) {
  for (const auto& [given, section] : {std::pair(&options.af_packet, "af-packet"), {&options.pcap, "pcap"}}) {
    if (given->empty()) continue;
    settings.set("capture.method", section);
    if (*given != "true") continue;
    for (const auto& i : settings.children(section)) {
      const auto name = settings.text(std::string(section) + "." + i + ".interface", "");
      if (!name.empty() && name != "default") options.interfaces.emplace_back(name);
    }
  }
}

}  // namespace vong::sensor
