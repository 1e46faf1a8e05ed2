#include "sensor/detect/dataset.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/ip_address.h"
#include "fmt/format.h"
#include "rules/network/read_file.h"
#include "rules/network/text.h"
#include "sensor/detect/limits.h"
#include "sensor/detect/number_field.h"

namespace vong::detect {
namespace {

constexpr size_t kEntryOverheadBytes = 64;

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int a = rules::hex_value(hex[i]), b = rules::hex_value(hex[i + 1]);
    if (a < 0 || b < 0) return std::nullopt;
    out.push_back(static_cast<char>(a * 16 + b));
  }
  return out;
}

std::string to_base64(std::string_view in) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < in.size(); i += 3) {
    const auto at = [&](size_t k) { return i + k < in.size() ? static_cast<uint8_t>(in[i + k]) : 0u; };
    const uint32_t x = at(0) << 16 | at(1) << 8 | at(2);
    out.push_back(kDigits[x >> 18]);
    out.push_back(kDigits[x >> 12 & 63]);
    out.push_back(i + 1 < in.size() ? kDigits[x >> 6 & 63] : '=');
    out.push_back(i + 2 < in.size() ? kDigits[x & 63] : '=');
  }
  return out;
}

// The library copies and writes values by recursion: what is nested deeper is refused.
constexpr int kMaxJsonDepth = 64;

// Discarded: not JSON, or nested too deep.
nlohmann::json parse_json(std::string_view text) {
  bool too_deep = false;
  auto document = nlohmann::json::parse(
      text,
      [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
        too_deep = too_deep || depth > kMaxJsonDepth;
        return !too_deep;
      },
      false);
  if (too_deep) return nlohmann::json(nlohmann::json::value_t::discarded);
  return document;
}

// The part of a JSON document that a dotted path names.
const nlohmann::json* at_path(const nlohmann::json& document, std::string_view path) {
  const nlohmann::json* at = &document;
  while (!path.empty()) {
    const size_t dot = path.find('.');
    const std::string part(path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    if (!at->is_object() || !at->contains(part)) return nullptr;
    at = &(*at)[part];
  }
  return at;
}

void remove_path(nlohmann::json& document, std::string_view path) {
  nlohmann::json* at = &document;
  while (true) {
    const size_t dot = path.find('.');
    const std::string part(path.substr(0, dot));
    if (!at->is_object() || !at->contains(part)) return;
    if (dot == std::string_view::npos) {
      at->erase(part);
      return;
    }
    at = &(*at)[part];
    path = path.substr(dot + 1);
  }
}

}  // namespace

std::optional<DatasetType> dataset_type_by_name(std::string_view name) {
  if (name == "string") return DatasetType::kString;
  if (name == "md5") return DatasetType::kMd5;
  if (name == "sha256") return DatasetType::kSha256;
  if (name == "ipv4") return DatasetType::kIpv4;
  if (name == "ip") return DatasetType::kIp;
  return std::nullopt;
}

std::optional<std::string> Dataset::key_of(Bytes value) const {
  const auto size_is = [&](size_t n) { return value.size() == n; };
  switch (type_) {
    case DatasetType::kString:
      if (value.empty()) return std::nullopt;
      break;
    case DatasetType::kMd5: if (!size_is(16)) return std::nullopt; break;
    case DatasetType::kSha256: if (!size_is(32)) return std::nullopt; break;
    case DatasetType::kIpv4: if (!size_is(4)) return std::nullopt; break;
    case DatasetType::kIp: if (!size_is(4) && !size_is(16)) return std::nullopt; break;
  }
  return std::string(as_text(value));
}

bool Dataset::contains(Bytes value) const {
  const auto key = key_of(value);
  if (!key) return false;
  std::lock_guard lock(mutex_);
  return values_.contains(*key);
}

bool Dataset::insert(std::string key, std::string extra, bool& full) {
  std::lock_guard lock(mutex_);
  const auto it = values_.find(key);
  full = false;
  if (it != values_.end()) {
    if (!extra.empty()) {
      bytes_ += extra.size() - it->second.size();  // may wrap on the way, not in the end
      it->second = std::move(extra);
    }
    return false;
  }
  const uint64_t cost = key.size() + extra.size() + kEntryOverheadBytes;
  const uint64_t memcap = memcap_bytes != 0 ? memcap_bytes : kDefaultDatasetMemcapBytes;
  if (values_.size() >= (entries_max != 0 ? entries_max : kMaxDatasetEntries) || bytes_ + cost > memcap) {
    full = true;
    return false;
  }
  bytes_ += cost;
  values_.emplace(std::move(key), std::move(extra));
  return true;
}

bool Dataset::add(Bytes value, bool& full) {
  full = false;
  auto key = key_of(value);
  return key && insert(std::move(*key), {}, full);
}

bool Dataset::remove(Bytes value) {
  const auto key = key_of(value);
  if (!key) return false;
  std::lock_guard lock(mutex_);
  const auto it = values_.find(*key);
  if (it == values_.end()) return false;
  bytes_ -= key->size() + it->second.size() + kEntryOverheadBytes;
  values_.erase(it);
  return true;
}

std::optional<uint16_t> Dataset::reputation(Bytes value) const {
  const auto key = key_of(value);
  if (!key) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto it = values_.find(*key);
  if (it == values_.end() || it->second.empty()) return std::nullopt;
  const auto n = rules::parse_unsigned(it->second, 65'535);
  return n ? std::optional<uint16_t>(static_cast<uint16_t>(*n)) : std::nullopt;
}

std::optional<std::string> Dataset::context(Bytes value) const {
  const auto key = key_of(value);
  if (!key) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto it = values_.find(*key);
  if (it == values_.end()) return std::nullopt;
  return it->second;
}

size_t Dataset::size() const {
  std::lock_guard lock(mutex_);
  return values_.size();
}

// `text` as files and JSON write a value.
Result<> Dataset::add_text(std::string_view text, std::string extra) {
  std::string key;
  switch (type_) {
    case DatasetType::kString: key = text; break;
    case DatasetType::kMd5: case DatasetType::kSha256: {
      const auto bytes = from_hex(text);
      if (!bytes || bytes->size() != (type_ == DatasetType::kMd5 ? 16u : 32u)) return fail(fmt::format("not a hash: {}", text.substr(0, 80)));
      key = *bytes;
      break;
    }
    case DatasetType::kIpv4: case DatasetType::kIp: {
      const auto address = IpAddress::parse(text);
      if (!address || (type_ == DatasetType::kIpv4 && !address->is_v4())) return fail(fmt::format("not an address: {}", text.substr(0, 80)));
      // ::ffff:a.b.c.d stands for the IPv4 address.
      static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
      Bytes raw = address->bytes();
      if (raw.size() == 16 && std::equal(std::begin(kMapped), std::end(kMapped), raw.begin())) raw = raw.subspan(12);
      key = as_text(raw);
      break;
    }
  }
  bool full = false;
  insert(std::move(key), std::move(extra), full);
  if (full) return fail(fmt::format("the data set {} is full", name_));
  return {};
}

Result<> Dataset::add_line(std::string_view line) {
  const size_t comma = line.find(',');
  std::string extra;
  if (comma != std::string_view::npos) extra = rules::trim(line.substr(comma + 1));
  line = rules::trim(line.substr(0, comma));
  if (type_ != DatasetType::kString) return add_text(line, std::move(extra));
  std::string decoded;
  decode_base64_prefix(as_bytes(line), decoded);
  if (decoded.empty()) return fail(fmt::format("not base64: {}", line.substr(0, 80)));
  return add_text(decoded, std::move(extra));
}

Result<> Dataset::load_lines(const std::string& path) {
  const auto text = rules::read_file(path);
  if (!text) return std::unexpected(text.error());
  size_t number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const size_t end = rest.find('\n');
    const std::string_view line = rules::trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.size() > kMaxDatasetLineBytes) return fail(fmt::format("{}:{}: line too long", path, number));
    if (auto added = add_line(line); !added) return fail(fmt::format("{}:{}: {}", path, number, added.error().message));
  }
  return {};
}

Result<> Dataset::load_json(const std::string& path, const JsonFormat& format) {
  const auto text = rules::read_file(path);
  if (!text) return std::unexpected(text.error());
  const auto add_element = [&](const nlohmann::json& element) -> Result<> {
    const nlohmann::json* value = at_path(element, format.value_key);
    if (value == nullptr || !value->is_string()) return {};   // an element without the value says nothing
    nlohmann::json context = element;
    if (format.remove_key) remove_path(context, format.value_key);
    return add_text(value->get<std::string>(), context.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  };
  if (format.lines) {
    for (std::string_view rest = *text; !rest.empty();) {
      const size_t end = rest.find('\n');
      const std::string_view line = rules::trim(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      if (line.empty()) continue;
      const auto document = parse_json(line);
      if (document.is_discarded()) return fail(fmt::format("{}: a line is not JSON, or nested too deep", path));
      if (auto added = add_element(document); !added) return added;
    }
    return {};
  }
  const auto document = parse_json(*text);
  if (document.is_discarded()) return fail(fmt::format("{}: not JSON, or nested too deep", path));
  const nlohmann::json* list = at_path(document, format.array_key);
  if (list == nullptr || !list->is_array()) return fail(fmt::format("{}: no array at '{}'", path, format.array_key));
  for (const auto& element : *list) {
    if (auto added = add_element(element); !added) return added;
  }
  return {};
}

Result<> Dataset::save(const std::string& path) const {
  std::vector<std::string> lines;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, extra] : values_) {
      std::string line;
      if (type_ == DatasetType::kString) line = to_base64(key);
      else if (type_ == DatasetType::kIp || type_ == DatasetType::kIpv4) {
        const auto* raw = reinterpret_cast<const uint8_t*>(key.data());
        line = (key.size() == 4 ? IpAddress::v4(raw) : IpAddress::v6(raw)).to_string();
      } else {
        for (const char c : key) line += fmt::format("{:02x}", static_cast<uint8_t>(c));
      }
      lines.push_back(std::move(line));
    }
  }
  std::sort(lines.begin(), lines.end());
  const std::string temporary = path + ".new";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) out << line << '\n';
    if (!out.flush()) return fail(fmt::format("{}: cannot be written", path));
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) return fail(fmt::format("{}: {}", path, error.message()));
  return {};
}

Result<> DatasetStore::configure(const Settings& settings, std::string data_dir) {
  data_dir_ = std::move(data_dir);
  allow_write_ = settings.flag("datasets.rules.allow-write", true);
  allow_absolute_ = settings.flag("datasets.rules.allow-absolute-filenames", false);
  default_memcap_ = settings.size_bytes("datasets.defaults.memcap", kDefaultDatasetMemcapBytes);
  default_hashsize_ = static_cast<uint64_t>(settings.integer("datasets.defaults.hashsize", 4096));
  max_hashsize_ = static_cast<uint64_t>(settings.integer("datasets.limits.single-hashsize", static_cast<int64_t>(kMaxDatasetHashsize)));
  max_hashsize_total_ =
      static_cast<uint64_t>(settings.integer("datasets.limits.total-hashsizes", static_cast<int64_t>(kMaxDatasetHashsizeTotal)));
  for (const std::string& name : settings.children("datasets")) {
    const std::string path = "datasets." + name;
    const auto type = dataset_type_by_name(settings.text(path + ".type", ""));
    if (!type) continue;   // "defaults", "rules" and the like
    DatasetRequest r;
    r.name = name;
    r.type = type;
    r.load = settings.text(path + ".load", "");
    const std::string_view state = settings.text(path + ".state", "");
    if (!state.empty()) {
      r.load = r.save = state;
      r.state = true;
    }
    const bool absolute = allow_absolute_;
    allow_absolute_ = true;   // the configuration's author may write where he likes
    auto made = get(r, "");
    allow_absolute_ = absolute;
    if (!made) return std::unexpected(made.error());
  }
  return {};
}

Result<> DatasetStore::check_write_path(const std::string& path) const {
  if (!allow_write_) return fail("Rules containing save/state datasets have been disabled");
  const std::filesystem::path p(path);
  if (p.is_absolute()) {
    if (!allow_absolute_) return fail(fmt::format("Absolute paths not allowed: {}", path));
    return {};
  }
  for (const auto& part : p) {
    if (part == "..") return fail(fmt::format("Directory traversals not allowed: {}", path));
  }
  return {};
}

std::string DatasetStore::find_file(const std::string& path, const std::string& rule_dir) const {
  if (std::filesystem::path(path).is_absolute()) return path;
  std::error_code error;
  const std::string beside_rules = (std::filesystem::path(rule_dir) / path).string();
  if (std::filesystem::exists(beside_rules, error)) return beside_rules;
  if (!data_dir_.empty()) {
    const std::string in_data = (std::filesystem::path(data_dir_) / path).string();
    if (std::filesystem::exists(in_data, error)) return in_data;
  }
  return path;
}

Result<Dataset*> DatasetStore::get(const DatasetRequest& request, const std::string& rule_dir) {
  for (const auto& set : sets_) {
    if (set->name() != request.name) continue;
    if (request.type && *request.type != set->type()) return fail(fmt::format("the data set {} has another type", request.name));
    if (!request.save.empty() && set->save_path.empty()) {
      if (auto allowed = check_write_path(request.save); !allowed) return std::unexpected(allowed.error());
    }
    return set.get();
  }
  if (!request.type) return fail(fmt::format("the data set {} is new: it needs a type", request.name));
  if (sets_.size() >= kMaxDatasets) return fail("too many data sets");
  const uint64_t hashsize = request.hashsize.value_or(default_hashsize_);
  if (hashsize > max_hashsize_) return fail(fmt::format("hashsize {} is more than {}", hashsize, max_hashsize_));
  if (hashsize_used_ + hashsize > max_hashsize_total_) return fail("the hash sizes of all data sets are more than allowed");
  if (!request.save.empty()) {
    if (auto allowed = check_write_path(request.save); !allowed) return std::unexpected(allowed.error());
  }
  const bool grows = request.load.empty() || !request.save.empty();
  if (before_ && grows) {
    for (const auto& old : before_->sets_) {
      if (old->name() != request.name || old->type() != *request.type) continue;
      hashsize_used_ += hashsize;
      sets_.push_back(old);
      return old.get();
    }
  }
  auto set = std::make_shared<Dataset>(request.name, *request.type);
  set->memcap_bytes = request.memcap_bytes.value_or(default_memcap_);
  if (!request.save.empty()) {
    const std::filesystem::path p(request.save);
    set->save_path = p.is_absolute() ? request.save : (std::filesystem::path(data_dir_) / p).string();
  }
  if (!request.load.empty()) {
    const std::string path = request.state ? set->save_path : find_file(request.load, rule_dir);
    std::error_code error;
    if (!request.state || std::filesystem::exists(path, error)) {
      auto loaded = request.json ? set->load_json(path, *request.json) : set->load_lines(path);
      if (!loaded) return std::unexpected(loaded.error());
    }
  }
  hashsize_used_ += hashsize;
  sets_.push_back(std::move(set));
  return sets_.back().get();
}

Result<> DatasetStore::save() const {
  for (const auto& set : sets_) {
    if (set->save_path.empty()) continue;
    if (auto saved = set->save(set->save_path); !saved) return saved;
  }
  return {};
}

}  // namespace vong::detect
