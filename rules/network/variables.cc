#include "rules/network/variables.h"

#include <array>
#include <utility>

namespace vong::rules {

Variables Variables::defaults() {
  using Pair = std::pair<const char*, const char*>;
  constexpr std::array<Pair, 15> kAddresses = {
      {{"HOME_NET", "[192.168.0.0/16,10.0.0.0/8,172.16.0.0/12]"},
       {"EXTERNAL_NET", "!$HOME_NET"},
       {"HTTP_SERVERS", "$HOME_NET"},
       {"SMTP_SERVERS", "$HOME_NET"},
       {"SQL_SERVERS", "$HOME_NET"},
       {"DNS_SERVERS", "$HOME_NET"},
       {"TELNET_SERVERS", "$HOME_NET"},
       {"AIM_SERVERS", "$EXTERNAL_NET"},
       {"DC_SERVERS", "$HOME_NET"},
       {"DNP3_SERVER", "$HOME_NET"},
       {"DNP3_CLIENT", "$HOME_NET"},
       {"MODBUS_CLIENT", "$HOME_NET"},
       {"MODBUS_SERVER", "$HOME_NET"},
       {"ENIP_CLIENT", "$HOME_NET"},
       {"ENIP_SERVER", "$HOME_NET"}}};
  constexpr std::array<Pair, 10> kPorts = {{{"HTTP_PORTS", "80"},
                                            {"SHELLCODE_PORTS", "!80"},
                                            {"ORACLE_PORTS", "1521"},
                                            {"SSH_PORTS", "22"},
                                            {"DNP3_PORTS", "20000"},
                                            {"MODBUS_PORTS", "502"},
                                            {"FILE_DATA_PORTS", "[$HTTP_PORTS,110,143]"},
                                            {"FTP_PORTS", "21"},
                                            {"GENEVE_PORTS", "6081"},
                                            {"VXLAN_PORTS", "4789"}}};
  Variables result;
  for (const auto& [name, value] : kAddresses) result.set_addresses(name, value);
  for (const auto& [name, value] : kPorts) result.set_ports(name, value);
  result.set_ports("TEREDO_PORTS", "3544");
  result.set_ports("SIP_PORTS", "[5060, 5061]");
  return result;
}

}  // namespace vong::rules
