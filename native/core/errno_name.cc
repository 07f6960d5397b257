// errno_name.cc: the table of error names. strerrorname_np(3) would do, but musl and older C libraries lack it.
#include "core/errno_name.h"

#include <cerrno>

namespace kaal {

namespace {

struct Entry {
  int code;
  const char* name;
};

constexpr Entry kErrors[] = {
    {EPERM, "EPERM"},           {ENOENT, "ENOENT"},         {ESRCH, "ESRCH"},
    {EINTR, "EINTR"},           {EIO, "EIO"},               {ENXIO, "ENXIO"},
    {E2BIG, "E2BIG"},           {ENOEXEC, "ENOEXEC"},       {EBADF, "EBADF"},
    {ECHILD, "ECHILD"},         {EAGAIN, "EAGAIN"},         {ENOMEM, "ENOMEM"},
    {EACCES, "EACCES"},         {EFAULT, "EFAULT"},         {EBUSY, "EBUSY"},
    {EEXIST, "EEXIST"},         {ENODEV, "ENODEV"},         {ENOTDIR, "ENOTDIR"},
    {EISDIR, "EISDIR"},         {EINVAL, "EINVAL"},         {ENFILE, "ENFILE"},
    {EMFILE, "EMFILE"},         {ETXTBSY, "ETXTBSY"},       {EFBIG, "EFBIG"},
    {ENOSPC, "ENOSPC"},         {ESPIPE, "ESPIPE"},         {EPIPE, "EPIPE"},
    {ENAMETOOLONG, "ENAMETOOLONG"}, {ENOSYS, "ENOSYS"},     {ELOOP, "ELOOP"},
    {EOVERFLOW, "EOVERFLOW"},   {ENOTSOCK, "ENOTSOCK"},     {EDESTADDRREQ, "EDESTADDRREQ"},
    {EMSGSIZE, "EMSGSIZE"},     {EOPNOTSUPP, "EOPNOTSUPP"}, {ENOBUFS, "ENOBUFS"},
    {EISCONN, "EISCONN"},       {ENOTCONN, "ENOTCONN"},     {ETOOMANYREFS, "ETOOMANYREFS"},
    {ETIMEDOUT, "ETIMEDOUT"},   {ECONNREFUSED, "ECONNREFUSED"}, {EALREADY, "EALREADY"},
};

}  // namespace

std::string ErrnoName(int code) {
  for (const Entry& entry : kErrors) {
    if (entry.code == code) return entry.name;
  }
  return "errno " + std::to_string(code);
}

}  // namespace kaal
