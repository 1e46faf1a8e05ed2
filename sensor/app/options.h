// The command line of vong-sensor. Flags that Suricata users know keep their meaning.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app_common/program.h"
#include "base/settings.h"

namespace vong::sensor {

struct Options {
  app::CommonFlags common;
  std::vector<std::string> captures;    // -r
  std::vector<std::string> interfaces;  // -i
  std::vector<std::string> only_rules;  // -S: these and no others
  std::vector<std::string> more_rules;  // -s: beside the configured ones
  std::vector<std::string> includes;    // --include: configuration files laid over that of -c
  std::string filter_file;              // -F
  std::vector<std::string> filter;      // tcpdump's language, what stands on the command line without a flag
  std::string user, group;
  bool no_detection = false;            // --disable-detection: no rules
  bool dump_config = false;
  std::string log_dir;                  // -l; "-" writes events to stdout
  std::string checksums;                // -k none|all
  std::string pid_file;
  std::string run_mode;  // accepted: single, workers, autofp
  std::string data_dir;
  bool each = false;          // every capture a run of its own
  bool continuous = false;    // --pcap-file-continuous: wait for more files
  bool delete_files = false;  // --pcap-file-delete
  bool recursive = false;
  bool init_errors_fatal = false;
  // --strict-rule-keywords: "classtype,reference"; "true" or "all": all of them. Empty: none.
  std::string strict_keywords;
  std::string list_keywords;            // "true", "all", "csv", or a keyword's name; empty: not asked
  bool list_frames = false, list_rule_protocols = false, list_run_modes = false, list_features = false;
  std::string buffer_size;              // --pcap-file-buffer-size, taken and without effect: so are those below
  bool ignored = false, engine_analysis = false;
  bool list_protocols = false, build_info = false, keyword_reference = false, config_reference = false;
  bool simulate_ips = false;
  bool user_given = false;
  int workers = 0;  // 0: as configured
  bool daemon = false;            // -D
  std::string af_packet, pcap;    // --af-packet, --pcap: an interface; "true": those of the configuration; empty: not given
  std::string unix_socket;        // --unix-socket: a path; "true": that of the configuration
};

// --af-packet and --pcap without a name: the interfaces that the configuration has.
void take_configured_interfaces(Options& options, Settings& settings);


// Parses; an exit status when the program is to end at once.
[[nodiscard]] std::optional<int> parse_options(int argc, char** argv, Options& options);

}  // namespace vong::sensor
