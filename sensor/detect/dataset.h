// Data sets: named collections of byte strings that rules test and fill (dataset), or that give a value a reputation or a JSON context
// (datarep, dataset with format json). Bounded in entries and bytes; a full set refuses and counts. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/settings.h"
#include "base/string_map.h"
#include "base/strings.h"

namespace vong::detect {

enum class DatasetType : uint8_t { kString, kMd5, kSha256, kIpv4, kIp };
[[nodiscard]] std::optional<DatasetType> dataset_type_by_name(std::string_view name);

class Dataset {
 public:
  Dataset(std::string set_name, DatasetType set_type) : name_(std::move(set_name)), type_(set_type) {}

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] DatasetType type() const { return type_; }

  [[nodiscard]] bool contains(Bytes value) const;
  // True when it is new. `full`: it could not be added.
  bool add(Bytes value, bool& full);
  bool remove(Bytes value);
  [[nodiscard]] std::optional<uint16_t> reputation(Bytes value) const;
  [[nodiscard]] std::optional<std::string> context(Bytes value) const;
  [[nodiscard]] size_t size() const;

  // The bytes that the set keeps for a value as a buffer shows it: hash and address sets take exact sizes only.
  [[nodiscard]] std::optional<std::string> key_of(Bytes value) const;

  // Lines of a file: base64 of a string, hexadecimal digits of a hash, an address; with ",<number>" behind it a reputation.
  [[nodiscard]] Result<> load_lines(const std::string& path);
  struct JsonFormat {
    bool lines = false;             // a document a line
    std::string value_key, array_key;
    bool remove_key = false;
  };
  [[nodiscard]] Result<> load_json(const std::string& path, const JsonFormat& format);
  [[nodiscard]] Result<> save(const std::string& path) const;

  std::string save_path;            // "" : not saved
  uint64_t memcap_bytes = 0;
  size_t entries_max = 0;

 private:
  Result<> add_line(std::string_view line);
  Result<> add_text(std::string_view text, std::string extra);
  bool insert(std::string key, std::string extra, bool& full);

  std::string name_;
  DatasetType type_;
  mutable std::mutex mutex_;
  StringMap<std::string> values_;   // value -> reputation digits or JSON text, mostly empty
  uint64_t bytes_ = 0;
};

struct DatasetRequest {
  std::string name;
  std::optional<DatasetType> type;      // needed the first time
  std::string load, save;               // as written
  bool state = false;                   // load and save are one file
  std::optional<uint64_t> memcap_bytes, hashsize;
  std::optional<Dataset::JsonFormat> json;
};

// All sets of a rule set, by name.
class DatasetStore {
 public:
  // Reads datasets.* of the settings: limits, permission to write, sets defined there.
  [[nodiscard]] Result<> configure(const Settings& settings, std::string data_dir);
  // The set of this name, made when it is new. `rule_dir`: where relative paths are looked for first.
  [[nodiscard]] Result<Dataset*> get(const DatasetRequest& request, const std::string& rule_dir);
  [[nodiscard]] Result<> save() const;
  // A reload: what rules have put into sets of the store before is kept. Sets that are only loaded from a file are read anew.
  void inherit(std::shared_ptr<const DatasetStore> before) { before_ = std::move(before); }
  void forget_before() { before_.reset(); }

 private:
  Result<> check_write_path(const std::string& path) const;
  [[nodiscard]] std::string find_file(const std::string& path, const std::string& rule_dir) const;

  std::vector<std::shared_ptr<Dataset>> sets_;
  std::shared_ptr<const DatasetStore> before_;
  std::string data_dir_;
  bool allow_write_ = true, allow_absolute_ = false;
  uint64_t default_memcap_ = 0, max_hashsize_ = 0, max_hashsize_total_ = 0, hashsize_used_ = 0, default_hashsize_ = 0;
};

}  // namespace vong::detect
