// Files that are read and written, and what is told apart from them: pipes.
#include "sensor/applayer/smb/parser.h"

namespace vong::smb {

using applayer::FileStream;

bool SmbParser::too_large(Direction d, uint64_t size, bool announced) {
  const bool to_server = d == Direction::kToServer;
  const uint32_t limit = config_.part_bytes_max[static_cast<size_t>(index(d))];
  const uint32_t negotiated = to_server ? session_.max_write_size : session_.max_read_size;
  if ((limit == 0 || size <= limit) && (negotiated == 0 || size <= negotiated)) return false;
  event(to_server   ? kWriteRequestTooLarge
        : announced ? kReadRequestTooLarge
                    : kReadResponseTooLarge);
  return true;
}

bool SmbParser::pipe_part(Direction d, const CommonHeader& h, const Part& part, const Tree* tree) {
  const bool known_file = tree != nullptr && !tree->share.empty() && !tree->is_pipe;
  if (known_file) return false;
  // In version 1 whatever a pipe carries is taken for calls.
  if ((h.version == 1 && tree != nullptr && tree->is_pipe) || is_rpc_pipe(part.file_id, part.data)) {
    if (d == Direction::kToServer)
      pipe_write(h, part.file_id, part.data);
    else
      pipe_read(h, part.file_id, part.data);
    return true;
  }
  return tree != nullptr && tree->is_pipe;
}

void SmbParser::file_part(Direction d, const CommonHeader& h, const Part& part, const Tree* tree) {
  if (Transaction* tx = find_file(part.file_id, d)) return part_of_file(*tx, d, part);
  if (pipe_part(d, h, part, tree)) return;
  Transaction& tx = make(h);
  tx.data.emplace<FileTransfer>(config_.files, d, part.file_id, name_of_file(part.file_id),
                                tree != nullptr ? tree->share : std::string(), files_made_++);
  part_of_file(tx, d, part);
}

void SmbParser::part_of_file(Transaction& tx, Direction d, const Part& part) {
  const auto i = static_cast<size_t>(index(d));
  const bool to_server = d == Direction::kToServer;
  FileStream& stream = tx.as<FileTransfer>()->stream;
  switch (stream.part(part.offset, part.size, part.data, config_.queue[i])) {
    case FileStream::Outcome::kOk:
      break;
    case FileStream::Outcome::kOverlap:
      // Of a server that was never heard nothing tells a pipe, whose writes all stand at 0.
      if (answered_) tx.add_event(kFileOverlap);
      break;
    case FileStream::Outcome::kQueueBytes:
      tx.add_event(to_server ? kWriteQueueSizeExceeded : kReadQueueSizeExceeded);
      break;
    case FileStream::Outcome::kQueueParts:
      tx.add_event(to_server ? kWriteQueueCountExceeded : kReadQueueCountExceeded);
      break;
  }
  if (part.data.size() < part.size) sides_[i].file_tx = tx.id;
  tx.touch();
}

void SmbParser::close_file(const CommonHeader& h, const std::string& file_id, Direction d) {
  Transaction* tx = find_file(file_id, d);
  if (tx == nullptr) return;
  tx->as<FileTransfer>()->stream.close();
  tx->key = h.key;
  if (h.version == 2) tx->nt_status = 0;
  tx->told_complete[static_cast<size_t>(index(d))] = false;   // a whole file is a reason to look at the raw stream
  tx->finish(Direction::kToServer);
  tx->finish(Direction::kToClient);
}

}  // namespace vong::smb
