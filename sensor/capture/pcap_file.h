// Captures from disk: one file, standard input ("-"), or every capture below a folder in the order
// of their names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sensor/capture/packet_source.h"

namespace vong::capture {

struct PcapFileOptions {
  bool recursive = true;  // of a folder: its folders too
};

// The captures that `path` stands for: itself, or, of a folder, all regular files below it, sorted
// by path byte by byte.
[[nodiscard]] Result<std::vector<std::string>> list_captures(const std::string& path,
                                                             const PcapFileOptions& options = {});

// Reads `paths` one after the other. A file that is no capture is skipped and counted when there is
// more than one path, else kError. A damaged capture gives its packets up to the damage, then
// kError, then the next file's packets.
[[nodiscard]] std::unique_ptr<PacketSource> open_pcap_files(std::vector<std::string> paths);

// list_captures + open_pcap_files, with a clear error at once when a single file cannot be opened
// or is no capture.
[[nodiscard]] Result<std::unique_ptr<PacketSource>> open_pcap_path(
    const std::string& path, const PcapFileOptions& options = {});

}  // namespace vong::capture
