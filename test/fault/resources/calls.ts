// calls.ts: which system calls are made to fail, and how Linux may refuse each (its man page; for sockets unix(7)).

import { constants } from "node:os"

/** Node does not list them all; this number is the same on all processors. */
const ERRNOS = { ...constants.errno, ETOOMANYREFS: 109 }

type Errno = keyof typeof ERRNOS

const DESCRIPTORS: readonly Errno[] = ["EMFILE", "ENFILE"]
const MEMORY: readonly Errno[] = ["ENOMEM"]

export const CALLS: Readonly<Record<string, readonly Errno[]>> = {
  memfd_create: [...DESCRIPTORS, ...MEMORY],
  ftruncate: ["ENOMEM", "EINTR"],
  fchmod: ["ENOMEM"],
  fallocate: ["ENOSPC", "ENOMEM", "EINTR"],
  F_ADD_SEALS: ["EBUSY"],
  F_DUPFD_CLOEXEC: ["EMFILE"],
  F_SETFL: ["ENOMEM"],
  mmap: ["ENOMEM", "EAGAIN"],
  mremap: ["ENOMEM"],
  open: [...DESCRIPTORS, ...MEMORY],
  "open(/proc)": [...DESCRIPTORS, ...MEMORY],
  "scandir(/proc)": [...DESCRIPTORS, ...MEMORY],
  pipe2: DESCRIPTORS,
  socketpair: [...DESCRIPTORS, ...MEMORY],
  sendmsg: ["ENOBUFS", "ENOMEM", "EINTR", "EAGAIN", "ETOOMANYREFS"],
  recvmsg: ["EAGAIN", "EINTR", "ENOMEM"],
  ppoll: ["EINTR", "ENOMEM"],
  eventfd: [...DESCRIPTORS, ...MEMORY],
  epoll_create1: [...DESCRIPTORS, ...MEMORY],
  epoll_ctl: ["ENOMEM", "ENOSPC"],
  uv_poll_init: ["ENOMEM", "ENOSPC"],
  epoll_wait: ["EINTR"],
  clone: ["EAGAIN", "ENOMEM", "EMFILE"],
  fork: ["EAGAIN", "ENOMEM"],
  dup2: ["EMFILE", "EINTR"],
  close_range: ["ENOMEM"],
  execve: ["ENOMEM", "EAGAIN"],
  execv: ["ENOMEM", "EAGAIN"],
  seccomp: ["ENOMEM"],
  setresuid: ["EAGAIN"],
  pthread_create: ["EAGAIN"],
  futex: ["EINTR", "EAGAIN", "ENOMEM"],
  futex_waitv: ["EINTR", "EAGAIN", "ENOMEM"],
  "read(eventfd)": ["EINTR", "EAGAIN"],
  "write(eventfd)": ["EINTR", "EAGAIN"],
  write: ["EINTR", "ENOSPC"],
  // Processes that end while it walks are part of it: ENOENT, ESRCH.
  opendir: [...DESCRIPTORS, ...MEMORY, "EINTR"],
  readdir: ["ENOMEM", "EINTR"],
  fopen: ["ENOENT", ...DESCRIPTORS, ...MEMORY, "EINTR"],
  fread: ["ESRCH", "EINTR", "ENOMEM"],
  sigtimedwait: ["EINTR", "EAGAIN"],
}

export function errnoNumber(name: string): number {
  return ERRNOS[name as Errno]
}
