// Rooms: app_common, sensor_app, correlator_app. A configuration file, read as both programs read
// it. Lines "--set KEY=VALUE" at the end are laid over it.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "app_common/config.h"
#include "correlator/app/options.h"
#include "sensor/app/settings_from_config.h"

namespace {

using namespace vong;

size_t walk(const app::ConfigNode& node, int depth) {
  if (depth > app::kMaxConfigDepth + 1) std::abort();
  app::Problems problems;
  (void)node.text("", problems);
  (void)node.boolean(false, problems);
  (void)node.bytes(1, 0, UINT64_MAX, problems);
  (void)node.real(1, 0, 10, problems);
  (void)node.texts(problems);
  if (const auto n = node.integer(1, 0, 10, problems); n < 0 || n > 10) std::abort();
  (void)node.duration(Duration(1), Duration(0), Duration::max(), problems);
  size_t nodes = 1;
  for (const auto& child : node.items()) nodes += walk(child, depth + 1);
  for (const auto& [key, child] : node.entries()) nodes += walk(child, depth + 1);
  return nodes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // Nothing of this machine's files.
  if (text.find("include") != text.npos) return 0;
  app::Problems problems;
  const size_t sets = text.find("--set ");
  app::Config config = app::Config::parse(text.substr(0, sets), "fuzz.yaml", problems);
  for (size_t at = sets; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (text.substr(at).starts_with("--set "))
      config.set(text.substr(at + 6, end - at - 6), problems);
    at = end + 1;
  }
  if (walk(config.root(), 0) > app::kMaxConfigNodes + 2) std::abort();
  sensor::check_sections(config.root(), problems);
  const Settings settings = sensor::settings_from(config.root());
  for (const auto& [path, value] : settings.all()) {
    if (settings.get(path) != value) std::abort();
  }
  correlator::Options options;
  correlator::read_config(config, options, problems);
  return 0;
}
