// The buffers that every protocol with files has: file.data and file.name, for ProtocolDef::buffers.
#pragma once

#include "sensor/applayer/core/file.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::applayer {

// What is kept of a file's content.
[[nodiscard]] inline BufferView content_of(const File& f) {
  BufferView v = BufferView::of(f.window);
  v.offset = f.window_offset;
  v.complete = f.state != FileState::kOpen;
  return v;
}

// The i-th file of a direction; null: there is none.
[[nodiscard]] inline const File* file_at(const Transaction& tx, Direction d, uint32_t i) {
  const FileContainer* files = tx.files(d);
  return files != nullptr && i < files->files().size() ? &files->files()[i] : nullptr;
}

// Getters (BufferGetter). A file without bytes has no content yet.
[[nodiscard]] inline BufferView file_data(const Transaction& tx, Direction d, uint32_t i, BufferScratch&) {
  const File* f = file_at(tx, d, i);
  return f == nullptr || f->size == 0 ? BufferView::none() : content_of(*f);
}
[[nodiscard]] inline BufferView file_name(const Transaction& tx, Direction d, uint32_t i, BufferScratch&) {
  const File* f = file_at(tx, d, i);
  return f == nullptr ? BufferView::none() : BufferView::of(f->name);
}

// The two as rows of a protocol's table, for those whose files have their content themselves. From which progress on each way.
[[nodiscard]] constexpr BufferDef file_data_buffer(uint8_t to_server, uint8_t to_client) {
  return {.name = "file.data",
          .alias = "file_data",
          .to_server_progress = to_server,
          .to_client_progress = to_client,
          .get = file_data,
          .multi = true,
          .streaming = true,
          .help = "Content of files"};
}
[[nodiscard]] constexpr BufferDef file_name_buffer(uint8_t to_server, uint8_t to_client) {
  return {.name = "file.name",
          .to_server_progress = to_server,
          .to_client_progress = to_client,
          .get = file_name,
          .multi = true,
          .help = "Names of files"};
}

}  // namespace vong::applayer
