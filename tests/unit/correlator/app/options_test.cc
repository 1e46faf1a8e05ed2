#include "correlator/app/options.h"

#include <gtest/gtest.h>

#include <map>

#include "correlator/app/config_reference.h"

namespace vong::correlator {
namespace {

Options read(const std::string& yaml, app::Problems& problems) {
  Options options;
  options.inputs = {"-"};
  read_config(app::Config::parse(yaml, "c.yaml", problems), options, problems);
  return options;
}

// Every key of the reference, with its default where it has one, is one that the program takes.
TEST(ConfigReference, NamesKeysThatTheProgramKnows) {
  const std::map<std::string_view, std::string> values = {
      {"rules.*", "rules: [r.yml]"},
      {"placeholders.*", "placeholders: {admins: [root]}"},
      {"indicators.lists.*", "indicators: {lists: {ncsc: [a.csv]}}"},
      {"campaign.by.*", "campaign: {by: [source, rule]}"},
  };
  for (const ConfigKey& key : config_keys()) {
    app::Problems problems;
    std::string yaml;
    if (const auto it = values.find(key.path); it != values.end()) {
      yaml = it->second;
    } else {
      ASSERT_EQ(key.path.find('*'), key.path.npos) << key.path;
      const size_t dot = key.path.find('.');
      const std::string fallback = key.fallback.empty() ? "\"\"" : std::string(key.fallback);
      yaml = dot == key.path.npos
                 ? std::string(key.path) + ": " + fallback
                 : std::string(key.path.substr(0, dot)) + ": {" +
                       std::string(key.path.substr(dot + 1)) + ": " + fallback + "}";
    }
    if (key.path != "rules.*") yaml += "\nrules: r.yml";
    (void)read(yaml, problems);
    EXPECT_TRUE(problems.all().empty()) << yaml << ": " << problems.all().at(0).text;
  }
}

TEST(Options, ListsOfIndicatorsAreCountedByNameNotByFile) {
  std::string files, lists;
  for (int i = 0; i < 65; ++i) {
    files += "f" + std::to_string(i) + ".csv, ";
    lists += "l" + std::to_string(i) + ": f.csv, ";
  }
  app::Problems problems;
  const Options o = read("rules: r.yml\nindicators: {lists: {ncsc: [" + files + "]}}", problems);
  EXPECT_EQ(problems.errors(), 0u);
  EXPECT_EQ(o.placeholders.lists, std::vector<std::string>{"ncsc"});
  (void)read("rules: r.yml\nindicators: {lists: {" + lists + "}}", problems);
  EXPECT_EQ(problems.errors(), 1u);
}

}  // namespace
}  // namespace vong::correlator
