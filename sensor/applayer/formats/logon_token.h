// Logon tokens as SMB and others carry them: SPNEGO (RFC 4178) around NTLMSSP (MS-NLMP) or Kerberos
// (RFC 4121), or one of these alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "sensor/applayer/formats/kerberos.h"

namespace vong::formats {

// NTLMSSP's third message: who logs on.
struct NtlmAuthentication {
  std::string domain, user, host;
  std::string version;   // "10.0 build 19041 rev 15"; empty: not sent
  bool warning = false;  // a field points to where there is nothing
};

struct LogonToken {
  std::optional<NtlmAuthentication> ntlm;
  std::optional<kerberos::Ticket> kerberos;
  bool malformed_ntlm = false;
};

// Nothing of a token that is not understood; not an error: mechanisms are many.
[[nodiscard]] LogonToken parse_logon_token(Bytes blob);

}  // namespace vong::formats
