// DCERPC on named pipes: its units are written and read like files, or go through control calls and
// transactions.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "sensor/applayer/smb/parser.h"

namespace vong::smb {

namespace rpc = formats::dcerpc;

namespace {

// Pipes that speak DCERPC and nothing else (MS-RPCE and the services' own specifications).
constexpr std::array<std::string_view, 16> kRpcPipes = {
    "atsvc",  "browser",  "drsuapi", "epmapper", "eventlog", "initshutdown", "lsarpc", "lsass",
    "netdfs", "netlogon", "ntsvcs",  "samr",     "spoolss",  "srvsvc",       "svcctl", "winreg"};

bool is_rpc_name(std::string_view name) {
  while (name.starts_with('\\')) name.remove_prefix(1);
  if (starts_with_ignore_case(name, "PIPE\\")) name.remove_prefix(5);
  return std::ranges::any_of(
             kRpcPipes, [&](std::string_view each) { return equals_ignore_case(each, name); }) ||
         equals_ignore_case(name, "wkssvc");
}

bool looks_like_unit(Bytes data) {
  const auto h = rpc::parse_header(data);
  return h && h->minor <= 1 && h->type <= rpc::kPacketTypeMax && h->first();
}

bool is_write(uint8_t version, uint16_t command) {
  return version == 1 && (command == k1WriteAndx || command == k1Write || command == k1WriteAndClose);
}

void add_stub(PipeCall::Stub& to, Bytes stub) {
  ++to.fragments;
  to.size += stub.size();
  if (to.data.size() < kMaxStubBytes)
    to.data.append(as_text(stub.first(std::min(stub.size(), kMaxStubBytes - to.data.size()))));
}

}  // namespace

// By the name under which it was opened, or by what is said on it.
bool SmbParser::is_rpc_pipe(const std::string& file_id, Bytes data) {
  if (const std::string* name = names_.find(file_id); name != nullptr && is_rpc_name(*name))
    return true;
  if (fragments_.find(file_id) != nullptr) return true;
  return looks_like_unit(data);
}

// Whatever version its header claims, a write or an answer is taken for a unit of its own, as in the reference, so that one cut over several
// writes shows as malformed.
void SmbParser::pipe_write(const CommonHeader& h, const std::string& file_id, Bytes data) {
  while (!data.empty()) {
    const auto unit = rpc::read_header(data);
    if (!unit) return event(kMalformedData);
    pipe_request(h, file_id, data, *unit);
    if (unit->fragment_bytes < rpc::kHeaderBytes || unit->fragment_bytes >= data.size()) return;
    data = data.subspan(unit->fragment_bytes);
    if (!looks_like_unit(data)) return;   // more calls in one write
  }
}

void SmbParser::pipe_read(const CommonHeader& h, const std::string& file_id, Bytes data) {
  constexpr uint32_t kBufferOverflow = 0x80000005, kPending = 0x103;
  if (h.nt_status == kPending) return;
  const bool more_follows = h.nt_status == kBufferOverflow;
  if (!h.ok() && !more_follows) {
    if (Transaction* tx = find_call(h, file_id, std::nullopt)) {
      set_nt_status(*tx, h);
      tx->finish(Direction::kToClient);
    }
    return;
  }
  if (more_follows && h.version == 1 && h.command == k1ReadAndx) return;   // the rest stands for itself
  std::string joined;
  if (auto before = fragments_.take(file_id)) {
    joined = std::move(*before);
    if (joined.size() + data.size() > kMaxFragmentBytes) return;
    joined.append(as_text(data));
    data = as_bytes(joined);
  }
  while (!data.empty()) {
    const auto unit = rpc::read_header(data);
    if (!unit) return event(kMalformedData);
    if (more_follows && data.size() < unit->fragment_bytes) {
      fragments_.put(file_id, std::string(as_text(data)));
      return;
    }
    pipe_response(h, file_id, data, *unit);
    if (unit->fragment_bytes < rpc::kHeaderBytes || unit->fragment_bytes >= data.size()) return;
    data = data.subspan(unit->fragment_bytes);
    if (!looks_like_unit(data)) return;
  }
}

// The oldest call of this pipe that has no answer.
Transaction* SmbParser::find_call(const CommonHeader& h, const std::string& file_id,
                                  std::optional<uint32_t> call_id) {
  for (const auto& each : transactions) {
    auto& tx = static_cast<Transaction&>(*each);
    const PipeCall* call = tx.as<PipeCall>();
    if (call == nullptr || tx.done(Direction::kToClient) || tx.version != h.version ||
        call->file_id != file_id)
      continue;
    if (!call_id || call->call_id == *call_id) return &tx;
  }
  return nullptr;
}

void SmbParser::pipe_request(const CommonHeader& h, const std::string& file_id, Bytes unit,
                             const rpc::Header& u) {
  const bool whole = u.fragment_bytes >= rpc::kHeaderBytes && unit.size() >= u.fragment_bytes;
  const auto request = whole && u.type == rpc::kRequest ? rpc::parse_request(unit, u) : std::nullopt;
  if (u.type == rpc::kRequest && !u.first()) {   // more of a call
    if (!request) return event(kMalformedData);
    if (Transaction* tx = find_call(h, file_id, u.call_id)) {
      add_stub(tx->as<PipeCall>()->stubs[0], request->stub);
      tx->touch();
      if (u.last()) tx->finish(Direction::kToServer);
    }
    return;
  }
  Transaction& tx = make(h);
  tx.key.message = 0;
  PipeCall& call = tx.data.emplace<PipeCall>();
  call.file_id = file_id;
  call.call_id = u.call_id;
  call.request = u.type;
  call.little_endian = u.little_endian;
  if (is_write(static_cast<uint8_t>(h.version), static_cast<uint16_t>(h.command))) tx.nt_status = 0;  // of the request, as the reference has it
  tx.touch();
  if (u.type == rpc::kRequest) {
    if (request) {
      call.opnum = request->opnum;
      call.context_id = request->context_id;
      add_stub(call.stubs[0], request->stub);
      if (!u.last()) return;
    } else {
      tx.add_event(kMalformedData);
    }
  } else if (u.type == rpc::kBind || u.type == rpc::kAlterContext) {
    if (whole) session_.interfaces = rpc::parse_bind(unit, u);
    else tx.add_event(kMalformedData);
  } else if (u.type > rpc::kPacketTypeMax) {
    tx.add_event(kMalformedData);
  }
  tx.finish(Direction::kToServer);
  // What has no answer.
  if (u.type == rpc::kAuth3 || u.type == rpc::kCoCancel || u.type == rpc::kOrphaned)
    tx.finish(Direction::kToClient);
}

void SmbParser::pipe_response(const CommonHeader& h, const std::string& file_id, Bytes unit,
                              const rpc::Header& u) {
  Transaction* tx = find_call(h, file_id, u.call_id);
  if (tx == nullptr) {
    tx = &make(h);
    tx->key.message = 0;
    PipeCall& made = tx->data.emplace<PipeCall>();
    made.file_id = file_id;
    made.call_id = u.call_id;
    tx->finish(Direction::kToServer);
  }
  set_nt_status(*tx, h);
  PipeCall& call = *tx->as<PipeCall>();
  call.response = u.type;
  tx->touch();
  const bool whole = u.fragment_bytes >= rpc::kHeaderBytes && unit.size() >= u.fragment_bytes;
  if (u.type == rpc::kResponse) {
    const auto response = whole ? rpc::parse_response(unit, u) : std::nullopt;
    if (response) {
      add_stub(call.stubs[1], response->stub);
      if (!u.last()) return;
    } else {
      tx->add_event(kMalformedData);
    }
  } else if (u.type == rpc::kBindAck || u.type == rpc::kAlterContextResponse) {
    if (!rpc::apply_ack(unit, u, session_.interfaces)) tx->add_event(kMalformedData);
  } else if (u.type > rpc::kPacketTypeMax) {
    tx->add_event(kMalformedData);
  }
  tx->finish(Direction::kToClient);
  tx->finish(Direction::kToServer);
}

}  // namespace vong::smb
