#include "sensor/applayer/nfs/names.h"

#include <iterator>
#include <string_view>

namespace vong::nfs {
namespace {

constexpr std::string_view kProcedures2[] = {
    "NULL",   "GETATTR", "SETATTR", "ROOT", "LOOKUP",  "READLINK", "READ",  "WRITECACHE", "WRITE",
    "CREATE", "REMOVE",  "RENAME",  "LINK", "SYMLINK", "MKDIR",    "RMDIR", "READDIR",    "STATFS"};

constexpr std::string_view kProcedures3[] = {
    "NULL",    "GETATTR",     "SETATTR", "LOOKUP", "ACCESS",   "READLINK", "READ",   "WRITE",
    "CREATE",  "MKDIR",       "SYMLINK", "MKNOD",  "REMOVE",   "RMDIR",    "RENAME", "LINK",
    "READDIR", "READDIRPLUS", "FSSTAT",  "FSINFO", "PATHCONF", "COMMIT"};

// Operations of a compound.
constexpr std::string_view kOperations4[] = {"NULL",
                                             "COMPOUND",
                                             "",
                                             "ACCESS",
                                             "CLOSE",
                                             "COMMIT",
                                             "CREATE",
                                             "DELEGPURGE",
                                             "DELEGRETURN",
                                             "GETATTR",
                                             "GETFH",
                                             "LINK",
                                             "LOCK",
                                             "LOCKT",
                                             "LOCKU",
                                             "LOOKUP",
                                             "LOOKUPP",
                                             "NVERIFY",
                                             "OPEN",
                                             "OPENATTR",
                                             "OPEN_CONFIRM",
                                             "OPEN_DOWNGRADE",
                                             "PUTFH",
                                             "PUTPUBFH",
                                             "PUTROOTFH",
                                             "READ",
                                             "READDIR",
                                             "READLINK",
                                             "REMOVE",
                                             "RENAME",
                                             "RENEW",
                                             "RESTOREFH",
                                             "SAVEFH",
                                             "SECINFO",
                                             "SETATTR",
                                             "SETCLIENTID",
                                             "SETCLIENTID_CONFIRM",
                                             "VERIFY",
                                             "WRITE",
                                             "RELEASE_LOCKOWNER",
                                             "BACKCHANNEL_CTL",
                                             "BIND_CONN_TO_SESSION",
                                             "EXCHANGE_ID",
                                             "CREATE_SESSION",
                                             "DESTROY_SESSION",
                                             "FREE_STATEID",
                                             "GET_DIR_DELEGATION",
                                             "GETDEVICEINFO",
                                             "GETDEVICELIST",
                                             "LAYOUTCOMMIT",
                                             "LAYOUTGET",
                                             "LAYOUTRETURN",
                                             "SECINFO_NO_NAME",
                                             "SEQUENCE",
                                             "SET_SSV",
                                             "TEST_STATEID",
                                             "WANT_DELEGATION",
                                             "DESTROY_CLIENTID",
                                             "RECLAIM_COMPLETE"};

struct Status {
  uint32_t value;
  std::string_view text;
};

// Versions 2 to 4 agree on all that they share.
constexpr Status kStatuses[] = {
    {0, "OK"},
    {1, "ERR_PERM"},
    {2, "ERR_NOENT"},
    {5, "ERR_IO"},
    {6, "ERR_NXIO"},
    {13, "ERR_ACCESS"},
    {17, "ERR_EXIST"},
    {18, "ERR_XDEV"},
    {19, "ERR_NODEV"},
    {20, "ERR_NOTDIR"},
    {21, "ERR_ISDIR"},
    {22, "ERR_INVAL"},
    {27, "ERR_FBIG"},
    {28, "ERR_NOSPC"},
    {30, "ERR_ROFS"},
    {31, "ERR_MLINK"},
    {63, "ERR_NAMETOOLONG"},
    {66, "ERR_NOTEMPTY"},
    {69, "ERR_DQUOT"},
    {70, "ERR_STALE"},
    {71, "ERR_REMOTE"},
    {10001, "ERR_BADHANDLE"},
    {10002, "ERR_NOT_SYNC"},
    {10003, "ERR_BAD_COOKIE"},
    {10004, "ERR_NOTSUPP"},
    {10005, "ERR_TOOSMALL"},
    {10006, "ERR_SERVERFAULT"},
    {10007, "ERR_BADTYPE"},
    {10008, "ERR_JUKEBOX"},
    {10009, "ERR_SAME"},
    {10010, "ERR_DENIED"},
    {10011, "ERR_EXPIRED"},
    {10012, "ERR_LOCKED"},
    {10013, "ERR_GRACE"},
    {10014, "ERR_FHEXPIRED"},
    {10015, "ERR_SHARE_DENIED"},
    {10016, "ERR_WRONGSEC"},
    {10017, "ERR_CLID_INUSE"},
    {10018, "ERR_RESOURCE"},
    {10019, "ERR_MOVED"},
    {10020, "ERR_NOFILEHANDLE"},
    {10021, "ERR_MINOR_VERS_MISMATCH"},
    {10022, "ERR_STALE_CLIENTID"},
    {10023, "ERR_STALE_STATEID"},
    {10024, "ERR_OLD_STATEID"},
    {10025, "ERR_BAD_STATEID"},
    {10026, "ERR_BAD_SEQID"},
    {10027, "ERR_NOT_SAME"},
    {10028, "ERR_LOCK_RANGE"},
    {10029, "ERR_SYMLINK"},
    {10030, "ERR_RESTOREFH"},
    {10031, "ERR_LEASE_MOVED"},
    {10032, "ERR_ATTRNOTSUPP"},
    {10033, "ERR_NO_GRACE"},
    {10034, "ERR_RECLAIM_BAD"},
    {10035, "ERR_RECLAIM_CONFLICT"},
    {10036, "ERR_BADXDR"},
    {10037, "ERR_LOCKS_HELD"},
    {10038, "ERR_OPENMODE"},
    {10039, "ERR_BADOWNER"},
    {10040, "ERR_BADCHAR"},
    {10041, "ERR_BADNAME"},
    {10042, "ERR_BAD_RANGE"},
    {10043, "ERR_LOCK_NOTSUPP"},
    {10044, "ERR_OP_ILLEGAL"},
    {10045, "ERR_DEADLOCK"},
    {10046, "ERR_FILE_OPEN"},
    {10047, "ERR_ADMIN_REVOKED"},
    {10048, "ERR_CB_PATH_DOWN"},
};

template <size_t N>
std::string name_in(const std::string_view (&table)[N], uint32_t value) {
  return value < N && !table[value].empty() ? std::string(table[value]) : std::to_string(value);
}

}  // namespace

std::string procedure_name(uint32_t version, uint32_t procedure) {
  if (version == 2) return name_in(kProcedures2, procedure);
  if (version == 3) return name_in(kProcedures3, procedure);
  return name_in(kOperations4, procedure);
}

std::string status_name(uint32_t, uint32_t status) {
  for (const Status& s : kStatuses) {
    if (s.value == status) return std::string(s.text);
  }
  return std::to_string(status);
}

}  // namespace vong::nfs
