// What the sensor says of itself, and how it is shown.
#include "sensor/app/status.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace vong::sensor {
namespace {

StatusInput sample(RulesInForce::State& rules) {
  detect::LoadReport report;
  rules.rules = *detect::RuleSet::from_text("t", "alert ip any any -> any any (sid:1;)", {}, Settings(), report);
  rules.counts.loaded = 1;
  StatusInput in;
  in.start = timestamp_from_ns(1'700'000'000'000'000'000);
  in.now = in.start + std::chrono::hours(25);
  in.rules = &rules;
  in.workers = {{"eth0", 0.25, {.received = 10, .kernel_drops = 1}}, {"eth0", 0.5, {.received = 20}}};
  in.totals[ledger::Hop::kKernel][ledger::Reason::kRingFull] = 1;
  in.spool_bytes_max = 100;
  in.spool_bytes = 7;
  return in;
}

TEST(Status, SaysWhatIsAsked) {
  RulesInForce::State rules;
  const auto json = nlohmann::json::parse(status_json(sample(rules), "s1", "G01", std::chrono::seconds(60)));
  EXPECT_EQ(json["sensor"], "s1");
  EXPECT_EQ(json["uptime_seconds"], 90'000);
  EXPECT_EQ(json["rules"]["hash"], rules.rules->hash());
  EXPECT_EQ(json["workers"].size(), 2u);
  EXPECT_EQ(json["workers"][1]["load"], 0.5);
  EXPECT_EQ(json["interfaces"][0]["packets"], 30);
  EXPECT_EQ(json["loss"]["dropped"]["ring_full"], 1);
  EXPECT_EQ(json["spool"]["bytes"], 7);
}

TEST(Status, SaysNothingOfSendingWhereAnotherProgramSends) {
  RulesInForce::State rules;
  StatusInput in = sample(rules);
  const auto json_of = [&] { return status_json(in, "s1", "G01", std::chrono::seconds(60)); };
  const auto without = nlohmann::json::parse(json_of())["spool"];
  EXPECT_FALSE(without.contains("connected") || without.contains("unsent_events")) << without;
  EXPECT_EQ(status_text(json_of(), in.now, "").find("CONNECTED"), std::string::npos);
  in.forwarding = {.oldest_unsent_seconds = 75, .connected = false};
  EXPECT_EQ(nlohmann::json::parse(json_of())["spool"]["oldest_unsent_seconds"], 75);
  EXPECT_NE(status_text(json_of(), in.now, "").find("the oldest for 1 min 15 s, NOT CONNECTED"), std::string::npos);
}

TEST(Status, TextSaysSilenceAndOtherRulesThanWanted) {
  RulesInForce::State rules;
  const StatusInput in = sample(rules);
  const std::string json = status_json(in, "s1", "G01", std::chrono::seconds(60));
  const std::string well = status_text(json, in.now + std::chrono::seconds(30), rules.rules->hash());
  EXPECT_NE(well.find("up 1 d 1 h"), std::string::npos) << well;
  EXPECT_NE(well.find("as wanted"), std::string::npos);
  EXPECT_NE(well.find("dropped ring_full: 1"), std::string::npos);
  const std::string ill = status_text(json, in.now + std::chrono::minutes(10), "abc");
  EXPECT_NE(ill.find("SILENT"), std::string::npos);
  EXPECT_NE(ill.find("WANTED abc"), std::string::npos);
  const std::string vietnamese = status_text(json, in.now + std::chrono::minutes(10), "abc", true);
  EXPECT_NE(vietnamese.find("IM LẶNG"), std::string::npos) << vietnamese;
  EXPECT_NE(vietnamese.find("CẦN CHẠY abc"), std::string::npos);
  EXPECT_EQ(status_text("no json", in.now, ""), "");
}

TEST(Status, IsWrittenWholeIntoLogFolderAndSpool) {
  namespace fs = std::filesystem;
  const auto folder = fs::temp_directory_path() / ("vong_status_" + std::to_string(::getpid()));
  fs::create_directories(folder / "spool");
  Settings settings;
  settings.set("kafka.spool.dir", (folder / "spool").string());
  StatusBoard board(settings, folder.string());
  RulesInForce::State rules;
  StatusInput in = sample(rules);
  EXPECT_TRUE(board.due(in.now));
  board.write(in);
  EXPECT_FALSE(board.due(in.now + std::chrono::seconds(59)));
  EXPECT_TRUE(board.due(in.now + std::chrono::seconds(60)));
  for (const char* name : {"status.json", "spool/status.json"}) {
    std::ifstream file(folder / name);
    EXPECT_TRUE(nlohmann::json::parse(file).is_object()) << name;
  }
  EXPECT_FALSE(fs::exists(folder / "status.json.new"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace vong::sensor
