#include "sensor/app/listings.h"

#include <fmt/format.h>

#include "app_common/program.h"
#include "sensor/app/config_reference.h"
#include "sensor/applayer/core/protocol.h"
#include "sensor/detect/keyword_reference.h"

namespace vong::sensor {
namespace {

void list_protocols() {
  fmt::print("=========Supported App Layer Protocols=========\n");
  for (const auto* protocol : applayer::protocols()) fmt::print("{}\n", protocol->name);
}

void print_build_info() {
  fmt::print("vong-sensor {}\n", app::version());
  fmt::print("compiler: {}\n", __VERSION__);
  fmt::print("features: HAVE_JA3 HAVE_JA4 MAGIC AF_PACKET PCRE_JIT HYPERSCAN GeoIP2 UNIX_SOCKET\n");
  fmt::print("protocols:");
  for (const auto* protocol : applayer::protocols()) fmt::print(" {}", protocol->name);
  fmt::print("\nkeywords: {}\n", detect::keyword_count());
}

}  // namespace

std::optional<int> answer_listings(const Options& options) {
  if (!options.list_keywords.empty()) {
    const std::string& how = options.list_keywords;
    const std::string text = how == "true" ? detect::keyword_list() : detect::keyword_table(how == "csv" || how == "all" ? std::string_view() : how);
    if (text.empty()) {
      fmt::print(stderr, "vong-sensor: no keyword '{}'\n", how);
      return app::kExitUsage;
    }
    fmt::print("{}", text);
  } else if (options.list_frames) {
    for (const auto* protocol : applayer::protocols()) {
      for (const auto frame : protocol->frames) fmt::print("{}: {}\n", protocol->name, frame);
    }
  } else if (options.list_rule_protocols) {
    for (const std::string_view name : detect::rule_protocols()) fmt::print("{}\n", name);
  } else if (options.list_run_modes) {
    fmt::print("single\nworkers\nautofp\n");   // one pipeline behind all three
  } else if (options.list_features) {
    fmt::print("output::file-store\ntrue_sha256\nja3\nja4\n");   // the last two unless the configuration turns them off
  } else if (options.keyword_reference) {
    fmt::print("{}", detect::keyword_reference_markdown());
  } else if (options.config_reference) {
    fmt::print("{}", config_reference_markdown());
  } else if (options.list_protocols) {
    list_protocols();
  } else if (options.build_info) {
    print_build_info();
  } else {
    return std::nullopt;
  }
  return app::kExitDone;
}

}  // namespace vong::sensor
