#include "correlator/app/options.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "base/strings.h"
#include "correlator/indicators/limits.h"

namespace vong::correlator {

void add_flags(CLI::App& cli, Options& o) {
  cli.add_flag("--config-reference", o.config_reference,
               "print the configuration reference (Markdown) and end");
  cli.add_option("--in", o.inputs,
                 "EVE JSON: a file, a folder of files, or - for standard input; without it, Kafka");
  cli.add_option("--rules", o.rules,
                 "Sigma rules: a file or a folder; may be given more than once");
  cli.add_option(
      "--verdicts", o.verdicts,
      "analysts' verdicts on incidents, JSON lines; with --in, may be given more than once");
  cli.add_option("--unmask", o.unmask_grant,
                 "lift the pseudonyms of this grant, which their agency has signed, and end");
  cli.add_option("--status", o.status,
                 "sensors' status records, JSON lines; with --in, writes coverage.json");
  cli.add_option("--agencies", o.agencies,
                 "registry of agencies; without it everything belongs to one agency, LOCAL");
  cli.add_option(
      "--indicators", o.indicator_flags,
      "NAME=FILE: a list of indicators that rules ask as %NAME%; may be given more than once");
  cli.add_option("-l", o.log_dir, "folder for incidents.json, warnings.json and dead-letter.json");
  cli.add_flag("--backtest", o.backtest,
               "what each rule would have said of these events: a table, and backtest.json");
  cli.add_option("--against", o.against,
                 "with --backtest: the rules to compare with; may be given more than once");
  cli.add_option("--threads", o.threads,
                 "with --in: 1, or 2 to read records ahead beside what follows (the same results)")
      ->check(CLI::Range(1, 2));
  cli.add_flag("--per-recipient", o.per_recipient,
               "also write RECIPIENT/incidents.json for each agency and for national");
}

namespace {

void read_placeholders(const app::ConfigNode& node, Options& o, app::Problems& problems) {
  if (!node) return;
  if (!node.is_map())
    return problems.error(node.place(), "placeholders must be a map of name: values");
  for (const auto& [name, values] : node.entries())
    o.placeholders.values[name] = values.texts(problems);
}

bool is_list_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return is_digit(c) || c == '_' || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
  });
}

void read_indicators(const app::ConfigNode& node, Options& o, app::Problems& problems) {
  const auto add = [&](app::Place place, std::string name, std::string path) {
    if (!is_list_name(name))
      problems.error(std::move(place), "a list of indicators has a name of letters, digits and _");
    else
      o.indicators.push_back({std::move(name), std::move(path)});
  };
  for (const std::string& flag : o.indicator_flags) {
    const size_t equals = flag.find('=');
    if (equals == flag.npos)
      problems.error({"--indicators", 1, 1}, "expected NAME=FILE, not '" + flag + "'");
    else
      add({"--indicators", 1, 1}, flag.substr(0, equals), flag.substr(equals + 1));
  }
  if (node) {
    node.report_unknown_keys({"lists", "reload"}, app::Severity::kError, problems);
    for (const auto& [name, files] : node["lists"].entries()) {
      for (const std::string& path : files.texts(problems)) add(files.place(), name, path);
    }
    o.indicators_reload = node["reload"].duration(o.indicators_reload, std::chrono::seconds(1),
                                                  std::chrono::hours(24), problems);
  }
  o.placeholders.lists = indicators::names_of(o.indicators);
  if (o.placeholders.lists.size() > indicators::kListsMax)
    problems.error(node ? node.place() : app::Place{"--indicators", 1, 1},
                   "too many lists of indicators (limit 64)");
}

void read_campaign(const app::ConfigNode& node, CampaignSettings& c, app::Problems& problems) {
  node.report_unknown_keys({"enabled", "agencies", "window", "severity", "by", "tlp"},
                           app::Severity::kError, problems);
  c.enabled = node["enabled"].boolean(c.enabled, problems);
  c.agencies = static_cast<size_t>(
      node["agencies"].integer(static_cast<int64_t>(c.agencies), 2, 1000, problems));
  c.window_ns = node["window"]
                    .duration(Duration(c.window_ns), std::chrono::seconds(1),
                              std::chrono::hours(24 * 366), problems)
                    .count();
  if (node["by"]) {
    c.by = 0;
    for (const std::string& word : node["by"].texts(problems)) {
      size_t k = 0;
      while (k < kCampaignKinds && name_of(static_cast<CampaignBy>(k)) != word) ++k;
      if (k == kCampaignKinds)
        problems.error(
            node["by"].place(),
            "campaigns are by source, domain, certificate, ja4, technique or rule, not '" + word +
                "'");
      else
        c.by |= 1u << k;
    }
  }
  c.warning_tlp = node["tlp"].text(c.warning_tlp, problems);
  if (c.warning_tlp != "CLEAR" && c.warning_tlp != "GREEN" && c.warning_tlp != "AMBER")
    problems.error(node["tlp"].place(), "a warning's tlp is CLEAR, GREEN or AMBER");
  const std::string severity = node["severity"].text("medium", problems);
  for (int s = 1; s <= 5; ++s) {
    if (events::name_of(static_cast<events::Severity>(s)) != severity) continue;
    c.severity_min = static_cast<events::Severity>(s);
    return;
  }
  problems.error(node["severity"].place(),
                 "severity is informational, low, medium, high or critical");
}

void read_kafka(const app::ConfigNode& node, Options& o, app::Problems& problems) {
  for (const auto& [name, value] : node.entries()) {
    if (name == "group")
      o.group = value.text(o.group, problems);
    else if (name == "transactional-id")
      o.transactional_id = value.text(o.transactional_id, problems);
    else if (name == "dead-letter-topic")
      o.dead_letter_topic = value.text(o.dead_letter_topic, problems);
    else if (name == "create-topics")
      o.create_topics = value.boolean(false, problems);
    else if (name == "create-acls")
      o.create_acls = value.boolean(false, problems);
    else if (name == "standby")
      o.standby = value.boolean(false, problems);
    else if (name == "facts-partitions")
      o.facts_partitions = static_cast<int>(value.integer(0, 0, 1'000, problems));
    else if (name == "facts-topic")
      o.facts_topic = value.text(o.facts_topic, problems);
    else if (name == "facts-retention")
      o.facts_retention = value.duration(o.facts_retention, std::chrono::minutes(1),
                                         std::chrono::hours(24 * 366), problems);
    else if (name == "topic-partitions")
      o.topic_partitions = static_cast<int>(value.integer(1, 1, 10'000, problems));
    else if (name == "topic-replication")
      o.topic_replication = static_cast<int>(value.integer(1, 1, 100, problems));
    else if (value.is_map()) {  // ssl.ca-file, librdkafka.*
      for (const auto& [inner, v] : value.entries()) {
        if (auto ok = kafka::set(o.kafka, name + "." + inner, v.raw()); !ok)
          problems.error(v.place(), ok.error().message);
      }
    } else if (auto ok = kafka::set(o.kafka, name, value.raw()); !ok) {
      problems.error(value.place(), ok.error().message);
    }
  }
  if (o.standby && o.facts_partitions > 0)
    problems.error(node.place(), "standby and facts-partitions exclude each other");
  if (o.inputs.empty() && o.unmask_grant.empty()) {
    if (o.kafka.brokers.empty())
      problems.error(node ? node.place() : app::Place{"--in", 1, 1},
                     "no input: give --in, or kafka.brokers in the configuration");
    else if (auto ok = kafka::check(o.kafka); !ok)
      problems.error(node.place(), ok.error().message);
  }
}

}  // namespace

void read_config(const app::Config& config, Options& o, app::Problems& problems) {
  const app::ConfigNode& root = config.root();
  root.report_unknown_keys(
      {"rules", "agencies", "home-agency", "log-dir", "per-recipient", "disorder", "campaign",
       "pseudonym-key-file", "placeholders", "rules-reload", "idle", "state", "kafka", "metrics", "incidents",
       "indicators", "coverage", "unmask"},
      app::Severity::kWarning, problems);
  if (o.rules.empty()) o.rules = root["rules"].texts(problems);
  o.rules_reload = root["rules-reload"].duration(o.rules_reload, Duration(0),
                                                 std::chrono::hours(24), problems);
  if (o.agencies.empty()) o.agencies = root["agencies"].text("", problems);
  if (o.log_dir == ".") o.log_dir = root["log-dir"].text(o.log_dir, problems);
  o.per_recipient |= root["per-recipient"].boolean(false, problems);
  o.disorder = root["disorder"].duration(o.disorder, Duration(0), std::chrono::hours(24), problems);
  o.engine.home_agency = root["home-agency"].text("", problems);
  o.engine.keys_max =
      static_cast<size_t>(root["state"]["keys-max"].integer(1'000'000, 1, 100'000'000, problems));
  read_campaign(root["campaign"], o.engine.campaign, problems);
  read_kafka(root["kafka"], o, problems);
  o.metrics_listen = root["metrics"]["listen"].text("", problems);
  o.idle = root["idle"].duration(o.idle, std::chrono::milliseconds(100), std::chrono::hours(24),
                                 problems);
  o.engine.update_interval_ns =
      o.inputs.empty() ? root["incidents"]["update-interval"]
                             .duration(Duration(0), Duration(0), std::chrono::hours(24), problems)
                             .count()
                       : INT64_MAX;
  read_placeholders(root["placeholders"], o, problems);
  root["unmask"].report_unknown_keys({"record", "signing-key"}, app::Severity::kError, problems);
  o.unmask_record = root["unmask"]["record"].text(o.unmask_record, problems);
  o.unmask_signing_key = root["unmask"]["signing-key"].text("", problems);
  root["coverage"].report_unknown_keys({"wanted-rules", "interval"}, app::Severity::kError, problems);
  o.wanted_rules = root["coverage"]["wanted-rules"].text("", problems);
  o.coverage_interval = root["coverage"]["interval"].duration(
      o.coverage_interval, std::chrono::seconds(1), std::chrono::hours(24), problems);
  read_indicators(root["indicators"], o, problems);
  if (const std::string file = root["pseudonym-key-file"].text("", problems); !file.empty()) {
    std::ifstream in(file, std::ios::binary);
    std::getline(in, o.pseudonym_key);
    if (!in || o.pseudonym_key.size() < 16) {
      problems.error(root["pseudonym-key-file"].place(),
                     file + ": expected one line of at least 16 characters");
    }
  } else {
    o.pseudonym_key = "vong: no pseudonym-key-file is configured";
  }
  if (o.backtest && o.inputs.empty())
    problems.error({"--backtest", 1, 1}, "give the events by --in");
  if (!o.against.empty() && !o.backtest)
    problems.error({"--against", 1, 1}, "it is an option of --backtest");
  if (!o.against.empty() && std::find(o.inputs.begin(), o.inputs.end(), "-") != o.inputs.end())
    problems.error({"--against", 1, 1}, "events from a pipe cannot be read twice: give files");
  if (o.rules.empty() && o.unmask_grant.empty())
    problems.error({"--rules", 1, 1}, "no rules: give --rules or 'rules' in the configuration");
}

}  // namespace vong::correlator
