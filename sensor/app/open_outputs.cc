#include "sensor/app/open_outputs.h"

#include <filesystem>

#include "sensor/app/kafka_output.h"

namespace vong::sensor {

namespace fs = std::filesystem;

std::string log_folder(const Options& options, const Plan& plan) {
  if (!options.log_dir.empty()) return options.log_dir;
  return std::string(plan.settings.text("default-log-dir", "."));
}

namespace {

// Below `folder`, but for absolute names; "-" with everything on standard output.
std::string place(const std::string& folder, const std::string& name) {
  if (folder == "-") return "-";
  return fs::path(name).is_absolute() ? name : (fs::path(folder) / name).string();
}

}  // namespace

Result<const KafkaOutput*> open_outputs(Output& output, const Plan& plan, const std::string& folder, bool with_kafka) {
  if (folder != "-") {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail("cannot make folder " + folder + ": " + error.message());
  }
  if (plan.eve.enabled || plan.eve.further.empty()) {
    auto file = FileOutput::open(place(folder, plan.eve.filename));
    if (!file) return std::unexpected(file.error());
    output.add(std::move(*file));
  }
  for (size_t i = 0; folder != "-" && i < plan.eve.further.size(); ++i) {   // a pipe carries the first alone
    auto file = FileOutput::open(place(folder, plan.eve.further[i].filename), static_cast<uint8_t>(i + 1));
    if (!file) return std::unexpected(file.error());
    output.add(std::move(*file));
  }
  if (!with_kafka) return nullptr;
  auto kafka = KafkaOutput::open(plan.settings, plan.rules->hash(), plan.forwarding);
  if (!kafka) return std::unexpected(kafka.error());
  const KafkaOutput* made = kafka->get();
  if (made != nullptr) output.add(std::move(*kafka));
  return made;
}

}  // namespace vong::sensor
