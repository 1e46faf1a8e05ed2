#include "sensor/applayer/smb/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace vong::smb {
namespace {

struct Name {
  uint32_t value;
  std::string_view text;
};

// All tables are sorted by value.

constexpr Name kCommands1[] = {
    {0x00, "CREATE_DIRECTORY"},
    {0x01, "DELETE_DIRECTORY"},
    {0x02, "OPEN"},
    {0x03, "CREATE"},
    {0x04, "CLOSE"},
    {0x05, "FLUSH"},
    {0x06, "DELETE"},
    {0x07, "RENAME"},
    {0x08, "QUERY_INFORMATION"},
    {0x09, "SET_INFORMATION"},
    {0x0a, "READ"},
    {0x0b, "WRITE"},
    {0x0c, "LOCK_BYTE_RANGE"},
    {0x0d, "UNLOCK_BYTE_RANGE"},
    {0x0e, "CREATE_TEMPORARY"},
    {0x0f, "CREATE_NEW"},
    {0x10, "CHECK_DIRECTORY"},
    {0x11, "PROCESS_EXIT"},
    {0x12, "SEEK"},
    {0x13, "LOCK_AND_READ"},
    {0x14, "WRITE_AND_UNLOCK"},
    {0x24, "LOCKING_ANDX"},
    {0x25, "TRANS"},
    {0x26, "TRANS_SECONDARY"},
    {0x2b, "ECHO"},
    {0x2c, "WRITE_AND_CLOSE"},
    {0x2d, "OPEN_ANDX"},
    {0x2e, "READ_ANDX"},
    {0x2f, "WRITE_ANDX"},
    {0x32, "TRANS2"},
    {0x33, "TRANS2_SECONDARY"},
    {0x34, "FIND_CLOSE2"},
    {0x70, "TREE_CONNECT"},
    {0x71, "TREE_DISCONNECT"},
    {0x72, "NEGOTIATE_PROTOCOL"},
    {0x73, "SESSION_SETUP_ANDX"},
    {0x74, "LOGOFF_ANDX"},
    {0x75, "TREE_CONNECT_ANDX"},
    {0x80, "QUERY_INFO_DISK"},
    {0x81, "SEARCH"},
    {0xa0, "NT_TRANS"},
    {0xa1, "NT_TRANS_SECONDARY"},
    {0xa2, "NT_CREATE_ANDX"},
    {0xa4, "NT_CANCEL"},
    {0xc0, "OPEN_PRINT_FILE"},
};

constexpr std::array<std::string_view, 19> kCommands2 = {"NEGOTIATE_PROTOCOL",
                                                         "SESSION_SETUP",
                                                         "SESSION_LOGOFF",
                                                         "TREE_CONNECT",
                                                         "TREE_DISCONNECT",
                                                         "CREATE",
                                                         "CLOSE",
                                                         "FLUSH",
                                                         "READ",
                                                         "WRITE",
                                                         "LOCK",
                                                         "IOCTL",
                                                         "CANCEL",
                                                         "KEEPALIVE",
                                                         "FIND",
                                                         "CHANGE_NOTIFY",
                                                         "GET_INFO",
                                                         "SET_INFO",
                                                         "OPLOCK_BREAK"};

// MS-ERREF, section 2.3: those that file servers send.
constexpr Name kStatuses[] = {
    {0x00000000, "SUCCESS"},
    {0x00000103, "PENDING"},
    {0x00000104, "REPARSE"},
    {0x00000105, "MORE_ENTRIES"},
    {0x0000010B, "NOTIFY_CLEANUP"},
    {0x0000010C, "NOTIFY_ENUM_DIR"},
    {0x80000005, "BUFFER_OVERFLOW"},
    {0x80000006, "NO_MORE_FILES"},
    {0x8000001A, "NO_MORE_ENTRIES"},
    {0x8000002D, "STOPPED_ON_SYMLINK"},
    {0xC0000001, "UNSUCCESSFUL"},
    {0xC0000002, "NOT_IMPLEMENTED"},
    {0xC0000003, "INVALID_INFO_CLASS"},
    {0xC0000004, "INFO_LENGTH_MISMATCH"},
    {0xC0000005, "ACCESS_VIOLATION"},
    {0xC0000008, "INVALID_HANDLE"},
    {0xC000000B, "INVALID_CID"},
    {0xC000000D, "INVALID_PARAMETER"},
    {0xC000000E, "NO_SUCH_DEVICE"},
    {0xC000000F, "NO_SUCH_FILE"},
    {0xC0000010, "INVALID_DEVICE_REQUEST"},
    {0xC0000011, "END_OF_FILE"},
    {0xC0000012, "WRONG_VOLUME"},
    {0xC0000013, "NO_MEDIA_IN_DEVICE"},
    {0xC0000015, "NONEXISTENT_SECTOR"},
    {0xC0000016, "MORE_PROCESSING_REQUIRED"},
    {0xC0000017, "NO_MEMORY"},
    {0xC000001E, "INVALID_LOCK_SEQUENCE"},
    {0xC000001F, "INVALID_VIEW_SIZE"},
    {0xC0000021, "ALREADY_COMMITTED"},
    {0xC0000022, "ACCESS_DENIED"},
    {0xC0000023, "BUFFER_TOO_SMALL"},
    {0xC0000024, "OBJECT_TYPE_MISMATCH"},
    {0xC0000032, "DISK_CORRUPT_ERROR"},
    {0xC0000033, "OBJECT_NAME_INVALID"},
    {0xC0000034, "OBJECT_NAME_NOT_FOUND"},
    {0xC0000035, "OBJECT_NAME_COLLISION"},
    {0xC0000037, "PORT_DISCONNECTED"},
    {0xC0000039, "OBJECT_PATH_INVALID"},
    {0xC000003A, "OBJECT_PATH_NOT_FOUND"},
    {0xC000003B, "OBJECT_PATH_SYNTAX_BAD"},
    {0xC000003C, "DATA_OVERRUN"},
    {0xC000003E, "DATA_ERROR"},
    {0xC000003F, "CRC_ERROR"},
    {0xC0000040, "SECTION_TOO_BIG"},
    {0xC0000041, "PORT_CONNECTION_REFUSED"},
    {0xC0000042, "INVALID_PORT_HANDLE"},
    {0xC0000043, "SHARING_VIOLATION"},
    {0xC000004B, "THREAD_IS_TERMINATING"},
    {0xC000004F, "EAS_NOT_SUPPORTED"},
    {0xC0000050, "EA_TOO_LARGE"},
    {0xC0000054, "FILE_LOCK_CONFLICT"},
    {0xC0000055, "LOCK_NOT_GRANTED"},
    {0xC0000056, "DELETE_PENDING"},
    {0xC000005E, "NO_LOGON_SERVERS"},
    {0xC0000061, "PRIVILEGE_NOT_HELD"},
    {0xC0000063, "USER_EXISTS"},
    {0xC0000064, "NO_SUCH_USER"},
    {0xC000006A, "WRONG_PASSWORD"},
    {0xC000006C, "PASSWORD_RESTRICTION"},
    {0xC000006D, "LOGON_FAILURE"},
    {0xC000006E, "ACCOUNT_RESTRICTION"},
    {0xC000006F, "INVALID_LOGON_HOURS"},
    {0xC0000070, "INVALID_WORKSTATION"},
    {0xC0000071, "PASSWORD_EXPIRED"},
    {0xC0000072, "ACCOUNT_DISABLED"},
    {0xC0000073, "NONE_MAPPED"},
    {0xC000007A, "PROCEDURE_NOT_FOUND"},
    {0xC000007B, "INVALID_IMAGE_FORMAT"},
    {0xC000007E, "RANGE_NOT_LOCKED"},
    {0xC000007F, "DISK_FULL"},
    {0xC000009A, "INSUFFICIENT_RESOURCES"},
    {0xC000009C, "DEVICE_DATA_ERROR"},
    {0xC00000A2, "MEDIA_WRITE_PROTECTED"},
    {0xC00000A3, "DEVICE_NOT_READY"},
    {0xC00000A5, "BAD_IMPERSONATION_LEVEL"},
    {0xC00000AB, "INSTANCE_NOT_AVAILABLE"},
    {0xC00000AC, "PIPE_NOT_AVAILABLE"},
    {0xC00000AD, "INVALID_PIPE_STATE"},
    {0xC00000AE, "PIPE_BUSY"},
    {0xC00000AF, "ILLEGAL_FUNCTION"},
    {0xC00000B0, "PIPE_DISCONNECTED"},
    {0xC00000B1, "PIPE_CLOSING"},
    {0xC00000B4, "INVALID_READ_MODE"},
    {0xC00000B5, "IO_TIMEOUT"},
    {0xC00000BA, "FILE_IS_A_DIRECTORY"},
    {0xC00000BB, "NOT_SUPPORTED"},
    {0xC00000BE, "BAD_NETWORK_PATH"},
    {0xC00000C3, "INVALID_NETWORK_RESPONSE"},
    {0xC00000C4, "UNEXPECTED_NETWORK_ERROR"},
    {0xC00000C9, "NETWORK_NAME_DELETED"},
    {0xC00000CA, "NETWORK_ACCESS_DENIED"},
    {0xC00000CB, "BAD_DEVICE_TYPE"},
    {0xC00000CC, "BAD_NETWORK_NAME"},
    {0xC00000CE, "TOO_MANY_SESSIONS"},
    {0xC00000D0, "REQUEST_NOT_ACCEPTED"},
    {0xC00000D4, "NOT_SAME_DEVICE"},
    {0xC00000D5, "FILE_RENAMED"},
    {0xC00000D8, "CANT_WAIT"},
    {0xC00000D9, "PIPE_EMPTY"},
    {0xC00000E3, "OPLOCK_NOT_GRANTED"},
    {0xC00000E5, "INTERNAL_ERROR"},
    {0xC00000FB, "REDIRECTOR_NOT_STARTED"},
    {0xC0000101, "DIRECTORY_NOT_EMPTY"},
    {0xC0000103, "NOT_A_DIRECTORY"},
    {0xC000011F, "TOO_MANY_OPENED_FILES"},
    {0xC0000120, "CANCELLED"},
    {0xC0000121, "CANNOT_DELETE"},
    {0xC0000122, "INVALID_COMPUTER_NAME"},
    {0xC0000123, "FILE_DELETED"},
    {0xC0000128, "FILE_CLOSED"},
    {0xC0000133, "TIME_DIFFERENCE_AT_DC"},
    {0xC000014B, "PIPE_BROKEN"},
    {0xC000015B, "LOGON_TYPE_NOT_GRANTED"},
    {0xC0000184, "INVALID_DEVICE_STATE"},
    {0xC000018B, "NO_TRUST_SAM_ACCOUNT"},
    {0xC000018D, "TRUSTED_RELATIONSHIP_FAILURE"},
    {0xC0000192, "NETLOGON_NOT_STARTED"},
    {0xC0000193, "ACCOUNT_EXPIRED"},
    {0xC000019C, "FS_DRIVER_REQUIRED"},
    {0xC0000203, "USER_SESSION_DELETED"},
    {0xC0000205, "INSUFF_SERVER_RESOURCES"},
    {0xC000020C, "CONNECTION_DISCONNECTED"},
    {0xC000020D, "CONNECTION_RESET"},
    {0xC0000224, "PASSWORD_MUST_CHANGE"},
    {0xC0000225, "NOT_FOUND"},
    {0xC0000233, "DOMAIN_CONTROLLER_NOT_FOUND"},
    {0xC0000234, "ACCOUNT_LOCKED_OUT"},
    {0xC0000236, "CONNECTION_REFUSED"},
    {0xC0000257, "PATH_NOT_COVERED"},
    {0xC0000275, "NOT_A_REPARSE_POINT"},
    {0xC000035C, "NETWORK_SESSION_EXPIRED"},
    {0xC0000388, "DOWNGRADE_DETECTED"},
    {0xC000A000, "INVALID_SIGNATURE"},
    {0xC05D0000, "SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP"},
};

// MS-CIFS, section 2.2.2.4: class << 16 | code.
constexpr Name kDosErrors[] = {
    {0x010001, "DOS_BADFUNC"},     {0x010002, "DOS_BADFILE"},
    {0x010003, "DOS_BADPATH"},     {0x010004, "DOS_NOFIDS"},
    {0x010005, "DOS_NOACCESS"},    {0x010006, "DOS_BADFID"},
    {0x010007, "DOS_BADMCB"},      {0x010008, "DOS_NOMEM"},
    {0x010009, "DOS_BADMEM"},      {0x01000a, "DOS_BADENV"},
    {0x01000b, "DOS_BADFORMAT"},   {0x01000c, "DOS_BADACCESS"},
    {0x01000d, "DOS_BADDATA"},     {0x01000f, "DOS_BADDRIVE"},
    {0x010010, "DOS_REMCD"},       {0x010011, "DOS_DIFFDEVICE"},
    {0x010012, "DOS_NOFILES"},     {0x01001f, "DOS_GENERAL"},
    {0x010020, "DOS_BADSHARE"},    {0x010021, "DOS_LOCK"},
    {0x010026, "DOS_EOF"},         {0x010032, "DOS_UNSUP"},
    {0x010050, "DOS_FILEXISTS"},   {0x010057, "DOS_INVALIDPARAM"},
    {0x01006e, "DOS_CANNOTOPEN"},  {0x01007a, "DOS_INSUFFICIENTBUFFER"},
    {0x01007b, "DOS_INVALIDNAME"}, {0x01007c, "DOS_UNKNOWNLEVEL"},
    {0x01009e, "DOS_NOTLOCKED"},   {0x0100b7, "DOS_ALREADYEXISTS"},
    {0x0100e6, "DOS_BADPIPE"},     {0x0100e7, "DOS_PIPEBUSY"},
    {0x0100e8, "DOS_PIPECLOSING"}, {0x0100e9, "DOS_NOTCONNECTED"},
    {0x0100ea, "DOS_MOREDATA"},    {0x020001, "SRV_ERROR"},
    {0x020002, "SRV_BADPW"},       {0x020004, "SRV_ACCESS"},
    {0x020005, "SRV_BADTID"},      {0x020006, "SRV_BADNETNAME"},
    {0x020007, "SRV_BADDEVICE"},   {0x020031, "SRV_QFULL"},
    {0x020032, "SRV_QTOOBIG"},     {0x020033, "SRV_QEOF"},
    {0x020034, "SRV_INVPFID"},     {0x020040, "SRV_BADCMD"},
    {0x020041, "SRV_SRVERROR"},    {0x020043, "SRV_BADLINK"},
    {0x020045, "SRV_BADPERMITS"},  {0x020046, "SRV_BADPID"},
    {0x020047, "SRV_SETATTRMODE"}, {0x020051, "SRV_PAUSED"},
    {0x020052, "SRV_MSGOFF"},      {0x020053, "SRV_NOROOM"},
    {0x020057, "SRV_RMUNS"},       {0x020058, "SRV_TIMEOUT"},
    {0x020059, "SRV_NORESOURCE"},  {0x02005a, "SRV_TOOMANYUIDS"},
    {0x02005b, "SRV_BADUID"},      {0x0200fa, "SRV_USEMPX"},
    {0x0200fb, "SRV_USESTD"},      {0x0200fc, "SRV_CONTMPX"},
    {0x02ffff, "SRV_NOSUPPORT"},   {0x030013, "HRD_NOWRITE"},
    {0x030014, "HRD_BADUNIT"},     {0x030015, "HRD_NOTREADY"},
    {0x030016, "HRD_BADCMD"},      {0x030017, "HRD_DATA"},
    {0x030018, "HRD_BADREQ"},      {0x030019, "HRD_SEEK"},
    {0x03001a, "HRD_BADMEDIA"},    {0x03001b, "HRD_BADSECTOR"},
    {0x03001c, "HRD_NOPAPER"},     {0x03001d, "HRD_WRITE"},
    {0x03001e, "HRD_READ"},        {0x03001f, "HRD_GENERAL"},
    {0x030020, "HRD_BADSHARE"},    {0x030021, "HRD_LOCK"},
    {0x030022, "HRD_WRONGDISK"},   {0x030023, "HRD_FCBUNAVAIL"},
    {0x030024, "HRD_SHAREBUFEXC"}, {0x030027, "HRD_DISKFULL"},
};

constexpr Name kIoctls[] = {
    {0x00060194, "FSCTL_DFS_GET_REFERRALS"},
    {0x000601B0, "FSCTL_DFS_GET_REFERRALS_EX"},
    {0x00090000, "FSCTL_REQUEST_OPLOCK_LEVEL_1"},
    {0x00090004, "FSCTL_REQUEST_OPLOCK_LEVEL_2"},
    {0x00090008, "FSCTL_REQUEST_BATCH_OPLOCK"},
    {0x00090018, "FSCTL_LOCK_VOLUME"},
    {0x0009001C, "FSCTL_UNLOCK_VOLUME"},
    {0x00090020, "FSCTL_DISMOUNT_VOLUME"},
    {0x0009003C, "FSCTL_GET_COMPRESSION"},
    {0x00090060, "FSCTL_FILESYSTEM_GET_STATISTICS"},
    {0x00090064, "FSCTL_GET_NTFS_VOLUME_DATA"},
    {0x00090073, "FSCTL_GET_RETRIEVAL_POINTERS"},
    {0x0009008F, "FSCTL_FIND_FILES_BY_SID"},
    {0x00090098, "FSCTL_SET_OBJECT_ID"},
    {0x0009009C, "FSCTL_GET_OBJECT_ID"},
    {0x000900A0, "FSCTL_DELETE_OBJECT_ID"},
    {0x000900A4, "FSCTL_SET_REPARSE_POINT"},
    {0x000900A8, "FSCTL_GET_REPARSE_POINT"},
    {0x000900AC, "FSCTL_DELETE_REPARSE_POINT"},
    {0x000900BC, "FSCTL_SET_OBJECT_ID_EXTENDED"},
    {0x000900C0, "FSCTL_CREATE_OR_GET_OBJECT_ID"},
    {0x000900C4, "FSCTL_SET_SPARSE"},
    {0x000900EB, "FSCTL_READ_FILE_USN_DATA"},
    {0x000900EF, "FSCTL_WRITE_USN_CLOSE_RECORD"},
    {0x000940CF, "FSCTL_QUERY_ALLOCATED_RANGES"},
    {0x000980C8, "FSCTL_SET_ZERO_DATA"},
    {0x00098208, "FSCTL_FILE_LEVEL_TRIM"},
    {0x00098344, "FSCTL_DUPLICATE_EXTENTS_TO_FILE"},
    {0x0009C040, "FSCTL_SET_COMPRESSION"},
    {0x00110018, "FSCTL_PIPE_WAIT"},
    {0x0011400C, "FSCTL_PIPE_PEEK"},
    {0x0011C017, "FSCTL_PIPE_TRANSCEIVE"},
    {0x00140078, "FSCTL_SRV_REQUEST_RESUME_KEY"},
    {0x001401D4, "FSCTL_LMR_REQUEST_RESILIENCY"},
    {0x001401FC, "FSCTL_QUERY_NETWORK_INTERFACE_INFO"},
    {0x00140204, "FSCTL_VALIDATE_NEGOTIATE_INFO"},
    {0x00144064, "FSCTL_SRV_ENUMERATE_SNAPSHOTS"},
    {0x001440F2, "FSCTL_SRV_COPYCHUNK"},
    {0x001441BB, "FSCTL_SRV_READ_HASH"},
    {0x001480F2, "FSCTL_SRV_COPYCHUNK_WRITE"},
};

constexpr Name kDialects[] = {
    {0x0202, "2.02"}, {0x0210, "2.10"}, {0x0222, "2.22"}, {0x0224, "2.24"}, {0x02ff, "2.??"},
    {0x0300, "3.00"}, {0x0302, "3.02"}, {0x0310, "3.10"}, {0x0311, "3.11"},
};

template <size_t N>
std::string_view find(const Name (&table)[N], uint32_t value) {
  const auto* it = std::lower_bound(std::begin(table), std::end(table), value,
                                    [](const Name& n, uint32_t v) { return n.value < v; });
  return it != std::end(table) && it->value == value ? it->text : std::string_view();
}

std::string with_prefix(std::string_view prefix, std::string_view name) {
  std::string out(prefix);
  out.append(name);
  return out;
}

std::string hex(uint32_t value, int digits) { return fmt::format("{:0{}x}", value, digits); }

}  // namespace

std::string command1_name(uint8_t command) {
  const std::string_view name = find(kCommands1, command);
  return name.empty() ? std::to_string(command) : with_prefix("SMB1_COMMAND_", name);
}

std::string command2_name(uint16_t command) {
  if (command >= kCommands2.size()) return std::to_string(command);
  return with_prefix("SMB2_COMMAND_", kCommands2[command]);
}

std::string nt_status_name(uint32_t status) {
  const std::string_view name = find(kStatuses, status);
  return name.empty() ? "UNKNOWN_" + hex(status, 8) : with_prefix("STATUS_", name);
}

std::string dos_error_name(uint8_t error_class, uint16_t code) {
  const std::string_view name = find(kDosErrors, uint32_t{error_class} << 16 | code);
  if (!name.empty()) return std::string(name);
  return "UNKNOWN_" + hex(error_class, 2) + "_" + hex(code, 4);
}

std::string dialect2_name(uint16_t dialect) {
  if (dialect == 0) return "unknown";
  return dialect_offer_name(dialect);
}

std::string dialect_offer_name(uint16_t dialect) {
  const std::string_view name = find(kDialects, dialect);
  return name.empty() ? "0x" + hex(dialect, 4) : std::string(name);
}

std::string ioctl_name(uint32_t function) {
  const std::string_view name = find(kIoctls, function);
  return name.empty() ? "0x" + hex(function, 8) : std::string(name);
}

std::string disposition_name(uint32_t disposition) {
  static constexpr std::array<std::string_view, 6> kNames = {"FILE_SUPERSEDE", "FILE_OPEN",
                                                             "FILE_CREATE",    "FILE_OPEN_IF",
                                                             "FILE_OVERWRITE", "FILE_OVERWRITE_IF"};
  return disposition < kNames.size() ? std::string(kNames[disposition]) : "UNKNOWN";
}

std::string share_type_name(uint8_t type) {
  static constexpr std::array<std::string_view, 4> kNames = {"UNKNOWN", "FILE", "PIPE", "PRINT"};
  return type < kNames.size() ? std::string(kNames[type]) : "UNKNOWN";
}

}  // namespace vong::smb
