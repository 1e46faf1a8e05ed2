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

bool opens_call(uint8_t type) {
  return type == rpc::kRequest || type == rpc::kBind || type == rpc::kAlterContext ||
         type == rpc::kAuth3 || type == rpc::kCoCancel || type == rpc::kOrphaned;
}

std::string fragment_key(Direction d, std::string_view file_id) {
  std::string key(d == Direction::kToServer ? ">" : "<");
  return key.append(file_id);
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
  if (fragments_.find(fragment_key(Direction::kToServer, file_id)) != nullptr ||
      fragments_.find(fragment_key(Direction::kToClient, file_id)) != nullptr)
    return true;
  return looks_like_unit(data);
}

void SmbParser::pipe_write(const CommonHeader& h, const std::string& file_id, Bytes data) {
  pipe_units(Direction::kToServer, h, file_id, data);
}

void SmbParser::pipe_read(const CommonHeader& h, const std::string& file_id, Bytes data) {
  constexpr uint32_t kBufferOverflow = 0x80000005, kPending = 0x103;
  if (h.nt_status == kPending) return;
  if (!h.ok() && h.nt_status != kBufferOverflow) {
    if (Transaction* tx = find_call(h, file_id, std::nullopt)) {
      set_nt_status(*tx, h);
      tx->finish(Direction::kToClient);
    }
    return;
  }
  pipe_units(Direction::kToClient, h, file_id, data);
}

// Whole units are taken; the begin of one waits for the rest.
void SmbParser::pipe_units(Direction d, const CommonHeader& h, const std::string& file_id,
                           Bytes data) {
  const std::string key = fragment_key(d, file_id);
  std::string joined;
  if (auto before = fragments_.take(key)) {
    joined = std::move(*before);
    if (joined.size() + data.size() > kMaxFragmentBytes) return;
    joined.append(as_text(data));
    data = as_bytes(joined);
  }
  while (!data.empty()) {
    const auto unit = rpc::parse_header(data);
    if (!unit) {
      if (data.size() < rpc::kHeaderBytes && data[0] == 5)
        fragments_.put(key, std::string(as_text(data)));
      else
        event(kMalformedData);
      return;
    }
    if (data.size() < unit->fragment_bytes) {
      fragments_.put(key, std::string(as_text(data)));
      return;
    }
    const Bytes whole = data.first(unit->fragment_bytes);
    if (d == Direction::kToServer)
      pipe_request(h, file_id, whole, *unit);
    else
      pipe_response(h, file_id, whole, *unit);
    data = data.subspan(unit->fragment_bytes);
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
  Transaction* tx = nullptr;
  if (u.type == rpc::kRequest && !u.first()) tx = find_call(h, file_id, u.call_id);
  if (tx == nullptr || tx->done(Direction::kToServer)) {
    tx = &make(h);
    tx->key.message = 0;
    PipeCall& made = tx->data.emplace<PipeCall>();
    made.file_id = file_id;
    made.call_id = u.call_id;
    made.request = u.type;
  }
  PipeCall& call = *tx->as<PipeCall>();
  call.little_endian = u.little_endian;
  tx->touch();
  if (u.type == rpc::kRequest) {
    const auto request = rpc::parse_request(unit, u);
    if (!request) return event(kMalformedData);
    call.opnum = request->opnum;
    call.context_id = request->context_id;
    add_stub(call.stubs[0], request->stub);
    if (!u.last()) return;
  } else if (u.type == rpc::kBind || u.type == rpc::kAlterContext) {
    session_.interfaces = rpc::parse_bind(unit, u);
  } else if (!opens_call(u.type)) {
    event(kMalformedData);
  }
  tx->finish(Direction::kToServer);
  // What has no answer.
  if (u.type == rpc::kAuth3 || u.type == rpc::kCoCancel || u.type == rpc::kOrphaned)
    tx->finish(Direction::kToClient);
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
  if (u.type == rpc::kResponse) {
    const auto response = rpc::parse_response(unit, u);
    if (!response) return event(kMalformedData);
    add_stub(call.stubs[1], response->stub);
    if (!u.last()) return;
  } else if (u.type == rpc::kBindAck || u.type == rpc::kAlterContextResponse) {
    if (!rpc::apply_ack(unit, u, session_.interfaces)) event(kMalformedData);
  }
  tx->finish(Direction::kToClient);
  tx->finish(Direction::kToServer);
}

}  // namespace vong::smb
