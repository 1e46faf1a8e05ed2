// What the command line and correlator.yaml say, checked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app_common/config.h"
#include "app_common/program.h"
#include "correlator/app/engine.h"
#include "kafka/client_config.h"
#include "rules/sigma/modifiers.h"

namespace vong::correlator {

struct Options {
  app::CommonFlags common;
  bool config_reference = false;    // print it and end
  std::vector<std::string> inputs;  // files, folders, "-"; empty: Kafka
  std::vector<std::string> rules;
  Duration rules_reload{0};  // how often their files are looked at; 0: only SIGHUP loads them
  std::vector<std::string> verdicts;  // files of verdicts, with --in
  std::string unmask_grant;           // file; not empty: lift pseudonyms and end
  std::string unmask_record = "unmask.log", unmask_signing_key;
  std::vector<std::string> status;  // files of sensors' status, with --in
  std::string wanted_rules;         // hash of the rules that sensors should run; empty: any
  std::chrono::nanoseconds coverage_interval = std::chrono::hours(1);
  std::string agencies;             // file; empty: one agency, LOCAL
  std::string log_dir = ".";
  bool per_recipient = false;
  int threads = 1;  // with --in: 2 read records ahead on a thread of its own
  bool backtest = false;             // what each rule would have said, as a table and a file
  std::vector<std::string> against;  // rules that a backtest compares with
  Duration disorder =
      std::chrono::seconds(10);  // how late an event may be without being sorted for
  std::string pseudonym_key;
  sigma::Placeholders placeholders;
  std::vector<std::string> indicator_flags;  // as given: NAME=FILE
  std::vector<indicators::ListFile> indicators;
  Duration indicators_reload = std::chrono::minutes(1);  // how often the files are looked at
  EngineSettings engine;
  std::string metrics_listen;  // empty: none
  // --- Kafka ---
  kafka::ClientConfig kafka;
  std::string group = "vong-correlator";
  std::string transactional_id = "vong-correlator-1";  // one per process
  std::string dead_letter_topic = "vong.dead-letter";
  Duration idle = std::chrono::seconds(10);  // a sensor quiet for so long does not hold others back
  bool standby = false;  // several processes of one group: one works, the others wait
  // Several processes of one group divide the work: over so many partitions of facts, and one more
  // for the leader; 0: they do not.
  int facts_partitions = 0;
  std::string facts_topic = "vong.facts";                 // one for each group
  Duration facts_retention = std::chrono::hours(24 * 7);  // how late an event may come, at most
  bool create_topics = false;
  bool create_acls = false;  // rights of agencies, sensors and the centre, made of the registry
  int topic_partitions = 1, topic_replication = 1;
};

// The program's own flags, beside the common ones.
void add_flags(CLI::App& cli, Options& options);
// Reads the configuration into what the command line has left open.
void read_config(const app::Config& config, Options& options, app::Problems& problems);

}  // namespace vong::correlator
