#include "sensor/app/open_outputs.h"

#include <filesystem>

#include "sensor/app/kafka_output.h"

namespace vong::sensor {

namespace fs = std::filesystem;

std::string log_folder(const Options& options, const Plan& plan) {
  if (!options.log_dir.empty()) return options.log_dir;
  return std::string(plan.settings.text("default-log-dir", "."));
}

std::string output_path(const std::string& folder, const std::string& name) {
  if (folder == "-") return "-";
  return fs::path(name).is_absolute() ? name : (fs::path(folder) / name).string();
}

namespace {

// `number`: as in LineInfo::output.
Result<> open_one(Output& output, const Plan& plan, const emit::EveConfig& config, const std::string& folder, size_t number) {
  auto how = outputs::TargetConfig::from(plan.settings, config.section);
  if (!how) return std::unexpected(how.error());
  auto file = FileOutput::open(output_path(folder, config.filename), static_cast<uint8_t>(number), *how, plan.offline);
  if (!file) return std::unexpected(file.error());
  output.add(std::move(*file));
  return {};
}

}  // namespace

Result<const KafkaOutput*> open_outputs(Output& output, const Plan& plan, const std::string& folder, bool with_kafka) {
  if (folder != "-") {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail("cannot make folder " + folder + ": " + error.message());
  }
  if (plan.eve.enabled || plan.eve.further.empty()) {
    if (auto opened = open_one(output, plan, plan.eve, folder, 0); !opened) return std::unexpected(opened.error());
  }
  for (size_t i = 0; folder != "-" && i < plan.eve.further.size(); ++i) {   // a pipe carries the first alone
    if (auto opened = open_one(output, plan, plan.eve.further[i], folder, i + 1); !opened) return std::unexpected(opened.error());
  }
  if (!with_kafka) return nullptr;
  auto kafka = KafkaOutput::open(plan.settings, plan.rules->hash(), plan.forwarding);
  if (!kafka) return std::unexpected(kafka.error());
  const KafkaOutput* made = kafka->get();
  if (made != nullptr) output.add(std::move(*kafka));
  return made;
}

}  // namespace vong::sensor
