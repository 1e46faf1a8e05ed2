#include "correlator/app/config_reference.h"

#include <fmt/format.h>

#include <array>

#include "kafka/client_config.h"

namespace vong::correlator {
namespace {

constexpr auto kKeys = std::to_array<ConfigKey>({
    {"rules.*", "", "Sigma rules: files and folders; also --rules"},
    {"rules-reload", "0s",
     "how often the files are looked at: changed ones are loaded beside the work once they stay so "
     "for one interval; 0: only SIGHUP loads them"},
    {"agencies", "one agency, LOCAL", "the registry of agencies; also --agencies"},
    {"home-agency", "", "whose events are that nothing else assigns; empty: they are refused"},
    {"log-dir", ".", "folder of incidents.json and the others of a run from files; also -l"},
    {"per-recipient", "no", "also write RECIPIENT/incidents.json; also --per-recipient"},
    {"disorder", "10s", "how late an event may be without everything being put in order again"},
    {"idle", "10s", "a sensor quiet for so long does not hold the others back"},
    {"pseudonym-key-file", "",
     "one line of at least 16 characters, the same at every process; without it pseudonyms can be "
     "guessed"},
    {"placeholders.*", "", "values of %name% in rules with the modifier expand"},
    {"state.keys-max", "1000000", "most group keys that one correlation holds; the oldest goes"},
    {"incidents.update-interval", "0s",
     "event time between two updates of one incident; a higher severity is told at once"},
    {"campaign.enabled", "yes", "make national incidents of the same thing at several agencies"},
    {"campaign.agencies", "3", "at how many"},
    {"campaign.window", "1h", "within which time"},
    {"campaign.severity", "medium", "least severity of the incidents that count"},
    {"campaign.by.*", "all of them", "source, domain, certificate, ja4, technique, rule"},
    {"campaign.tlp", "GREEN", "mark of early warnings: CLEAR, GREEN or AMBER"},
    {"indicators.lists.*", "", "files of a list of indicators, which rules ask as %name%"},
    {"indicators.reload", "1m", "how often the files are looked at; SIGHUP looks at once"},
    {"coverage.wanted-rules", "", "hash of the rules that every sensor should run; empty: any"},
    {"coverage.interval", "1h", "how often it is told, in the sensors' time"},
    {"unmask.record", "unmask.log", "where lifted pseudonyms are recorded"},
    {"unmask.signing-key", "", "Ed25519 key (PEM) that signs the record"},
    {"metrics.listen", "", "address:port of /metrics and /healthz; empty: none"},
    {"kafka.group", "vong-correlator", "consumer group, whose offsets say what was done"},
    {"kafka.transactional-id", "vong-correlator-1", "one for each process that works"},
    {"kafka.standby", "no", "several processes of one group: one works, the others wait"},
    {"kafka.facts-partitions", "0",
     "several processes of one group divide the work over so many partitions; 0: they do not"},
    {"kafka.facts-topic", "vong.facts", "by which they do, one for each group"},
    {"kafka.facts-retention", "7d", "how late an event may come, and what a take-over reads"},
    {"kafka.dead-letter-topic", "vong.dead-letter", "where records go that cannot be read"},
    {"kafka.create-topics", "no", "make the topics that are not there yet"},
    {"kafka.create-acls", "no", "give the rights that follow from the registry"},
    {"kafka.topic-partitions", "1", "of topics that are made"},
    {"kafka.topic-replication", "1", "of topics that are made"},
});

std::string row(std::string_view key, std::string_view fallback, std::string_view help) {
  return fmt::format("| `{}` | {} | {} |\n", key,
                     fallback.empty() ? "" : fmt::format("`{}`", fallback), help);
}

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }

std::string config_reference_markdown() {
  std::string out =
      "# Configuration of vong-correlator\n\n"
      "Made by `vong-correlator --config-reference`; edit the table in "
      "`correlator/app/config_reference.cc`.\n"
      "`--set key.path=value` lays a value over the file, flags of the command line over both. "
      "`*` stands for a name or an index.\n\n"
      "| key | when not set | what it does |\n| --- | --- | --- |\n";
  for (const ConfigKey& key : kKeys) out += row(key.path, key.fallback, key.help);
  for (const kafka::ClientKey& key : kafka::client_keys())
    out += row("kafka." + std::string(key.name), "", key.help);
  return out;
}

}  // namespace vong::correlator
