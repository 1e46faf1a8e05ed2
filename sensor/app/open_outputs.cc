#include "sensor/app/open_outputs.h"

#include <filesystem>

namespace vong::sensor {

namespace fs = std::filesystem;

std::string log_folder(const Options& options, const Plan& plan) {
  if (!options.log_dir.empty()) return options.log_dir;
  return std::string(plan.settings.text("default-log-dir", "."));
}

Result<> open_outputs(Output& output, const Plan& plan, const std::string& folder) {
  std::string path = "-";
  if (folder != "-") {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return fail("cannot make folder " + folder + ": " + error.message());
    const auto& name = plan.eve.filename;
    path = fs::path(name).is_absolute() ? name : (fs::path(folder) / name).string();
  }
  auto file = FileOutput::open(path);
  if (!file) return std::unexpected(file.error());
  output.add(std::move(*file));
  return {};
}

}  // namespace vong::sensor
