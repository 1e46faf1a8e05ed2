// EVE's smb record.
#include "sensor/applayer/smb/record.h"

#include <fmt/format.h>

#include "sensor/applayer/formats/text.h"
#include "sensor/applayer/smb/names.h"

namespace vong::smb {
namespace {

namespace rpc = formats::dcerpc;

std::string hex(uint32_t value, size_t digits_min) { return fmt::format("0x{:0{}x}", value, digits_min); }

std::string_view file_name(const std::string& name) {
  return name.empty() ? std::string_view("<share_root>") : std::string_view(name);
}

void write(const Negotiate& n, const Transaction& tx, JsonWriter& out) {
  if (!n.dialects.empty()) {
    out.open_array("client_dialects");
    for (const std::string& d : n.dialects) out.string(d);
    out.close_array();
  }
  if (!n.client_guid.empty()) out.field("client_guid", formats::guid_text(as_bytes(n.client_guid)));
  if (!n.server_guid.empty()) out.field("server_guid", formats::guid_text(as_bytes(n.server_guid)));
  if (n.max_read_size > 0) out.field("max_read_size", n.max_read_size);
  if (n.max_write_size > 0) out.field("max_write_size", n.max_write_size);
  (void)tx;
}

void host(std::string_view key, const NativeHost& h, JsonWriter& out) {
  out.open_object(key);
  out.field("native_os", h.os);
  out.field("native_lm", h.lan_manager);
  out.close_object();
}

void write(const SessionSetup& s, const Transaction&, JsonWriter& out) {
  if (s.request) host("request", *s.request, out);
  if (s.response) host("response", *s.response, out);
  if (s.ntlm) {
    out.open_object("ntlmssp");
    out.field("domain", s.ntlm->domain);
    out.field("user", s.ntlm->user);
    out.field("host", s.ntlm->host);
    if (!s.ntlm->version.empty()) out.field("version", s.ntlm->version);
    if (s.ntlm->warning) out.field("warning", true);
    out.close_object();
  }
  if (s.kerberos) {
    out.open_object("kerberos");
    out.field("realm", s.kerberos->realm);
    if (!s.kerberos->service.parts.empty()) {
      out.open_array("snames");
      for (const std::string& name : s.kerberos->service.parts) out.string(name);
      out.close_array();
    }
    out.close_object();
  }
}

void write(const TreeConnect& t, const Transaction& tx, JsonWriter& out) {
  out.field(t.is_pipe ? "named_pipe" : "share", t.share);
  if (tx.version == 1) {
    out.open_object("service");
    if (!t.request_service.empty()) out.field("request", t.request_service);
    if (!t.response_service.empty()) out.field("response", t.response_service);
    out.close_object();
  } else {
    out.field("share_type", share_type_name(t.share_type));
  }
}

void write(const Create& c, const Transaction&, JsonWriter& out) {
  out.field(c.directory ? "directory" : "filename", file_name(c.name));
  out.field("disposition", disposition_name(c.disposition));
  out.field("access", c.delete_on_close ? "delete on close" : "normal");
  out.field("created", unix_seconds(c.answer.created));
  out.field("accessed", unix_seconds(c.answer.accessed));
  out.field("modified", unix_seconds(c.answer.modified));
  out.field("changed", unix_seconds(c.answer.changed));
  out.field("size", c.answer.size);
  const std::string id = fuid_text(c.answer.file_id);
  if (!id.empty()) out.field("fuid", id);
}

void write(const FileTransfer& f, const Transaction&, JsonWriter& out) {
  out.field("filename", f.name);
  out.field("share", f.share);
  out.field("fuid", fuid_text(f.file_id));
}

void write(const Rename& r, const Transaction&, JsonWriter& out) {
  out.open_object("rename");
  out.field("from", r.from);
  out.field("to", r.to);
  out.close_object();
  if (!r.file_id.empty()) out.field("fuid", fuid_text(r.file_id));
}

void write(const SetInfo& s, const Transaction& tx, JsonWriter& out) {
  out.field("filename", file_name(s.name));
  if (tx.version == 1) {
    out.field("subcmd", s.subcommand == 6 ? "SET_PATH_INFO" : "SET_FILE_INFO");
    const bool disposition = s.level == 0x102 || s.level == 1013;
    out.field("level_of_interest",
              disposition ? std::string("Set File Disposition Information") : hex(s.level, 4));
  } else {
    out.open_object("set_info");
    const bool file = s.info_class == 1;
    out.field("class", file ? std::string("FILE_INFO") : std::to_string(s.info_class));
    out.field("info_level", file && s.level == 13 ? std::string("SMB2_FILE_DISPOSITION_INFO")
                                                  : std::to_string(s.level));
    out.close_object();
  }
  out.field("access", s.delete_on_close ? "delete on close" : "normal");
  if (!s.file_id.empty()) out.field("fuid", fuid_text(s.file_id));
}

void write(const Ioctl& i, const Transaction&, JsonWriter& out) {
  out.field("function", ioctl_name(i.function));
}

void stub(std::string_view key, const PipeCall::Stub& s, JsonWriter& out) {
  out.open_object(key);
  out.field("frag_cnt", s.fragments);
  out.field("stub_data_size", s.size);
  out.close_object();
}

void write(const PipeCall& c, const Transaction& tx, JsonWriter& out) {
  out.open_object("dcerpc");
  out.field("request", c.request ? rpc::name_of(*c.request) : std::string_view("REQUEST_LOST"));
  out.field("response", c.response ? rpc::name_of(*c.response) : std::string_view("UNREPLIED"));
  if (c.request == rpc::kRequest) {
    out.field("opnum", c.opnum);
    stub("req", c.stubs[0], out);
  } else if (c.request == rpc::kBind && !tx.session->interfaces.empty()) {
    out.open_array("interfaces");
    for (const rpc::Interface& i : tx.session->interfaces) {
      out.open_object();
      out.field("uuid", formats::uuid_text(as_bytes(i.uuid)));
      out.field("version", std::to_string(i.version) + "." + std::to_string(i.minor));
      if (i.acked) {
        out.field("ack_result", i.ack_result);
        out.field("ack_reason", 0);  // never told by the reference
      }
      out.close_object();
    }
    out.close_array();
  }
  if (c.response == rpc::kResponse) stub("res", c.stubs[1], out);
  out.field("call_id", c.call_id);
  out.close_object();
}

void write(std::monostate, const Transaction&, JsonWriter&) {}

void status(const Transaction& tx, JsonWriter& out) {
  if (tx.nt_status) {
    out.field("status", nt_status_name(*tx.nt_status));
    out.field("status_code", hex(*tx.nt_status, 1));
  } else if (tx.dos_error) {
    out.field("status", dos_error_name(tx.dos_error->first, tx.dos_error->second));
    out.field("status_code", hex(tx.dos_error->second, 4));
  }
}

}  // namespace

std::string_view record_type(const Transaction& tx) {
  static constexpr std::string_view kTypes[] = {
      "generic", "negotiate", "session_setup",      "tree_connect", "create",
      "file",    "rename",    "set_file_path_info", "ioctl",        "dcerpc"};
  return kTypes[tx.data.index()];
}

void write_record(const Transaction& tx, JsonWriter& out) {
  out.open_object("smb");
  out.field("id", tx.id + 1);
  out.field("dialect", tx.session->dialect_text.empty() ? dialect2_name(tx.session->dialect)
                                                        : tx.session->dialect_text);
  out.field("command", tx.version == 1 ? command1_name(static_cast<uint8_t>(tx.command))
                                       : command2_name(tx.command));
  status(tx, out);
  out.field("session_id", tx.key.session);
  out.field("tree_id", tx.key.tree);
  std::visit([&](const auto& data) { write(data, tx, out); }, tx.data);
  out.close_object();
}

}  // namespace vong::smb
