"""The seccomp filter of the sandbox: what no program needs that computes, and what gets around a limit or a namespace.

Namespaces and mounts, other processes' memory, kernel keys, modules, clocks, io_uring, memory that no limit counts
(memfd, System V segments), sockets of every family but AF_UNIX (vsock reaches a host past the network namespace).
A refused call fails with EPERM; clone3 with ENOSYS, on which the C library uses clone, whose flags can be read.
"""

from __future__ import annotations

import platform
import struct

_DENIED = """
ptrace:101:117 process_vm_readv:310:270 process_vm_writev:311:271 kcmp:312:272 process_madvise:440:440
pidfd_getfd:438:438 mount:165:40 umount2:166:39 pivot_root:155:41 chroot:161:51 move_mount:429:429
open_tree:428:428 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433 mount_setattr:442:442
unshare:272:97 setns:308:268 bpf:321:280 perf_event_open:298:241 userfaultfd:323:282 io_uring_setup:425:425
io_uring_enter:426:426 io_uring_register:427:427 add_key:248:217 request_key:249:218 keyctl:250:219
memfd_create:319:279 memfd_secret:447:447 shmget:29:194 shmat:30:196 shmctl:31:195 semget:64:190 semop:65:193
semtimedop:220:192 semctl:66:191 msgget:68:186 msgsnd:69:189 msgrcv:70:188 msgctl:71:187 mq_open:240:180
init_module:175:105 finit_module:313:273 delete_module:176:106 kexec_load:246:104 kexec_file_load:320:294
reboot:169:142 swapon:167:224 swapoff:168:225 settimeofday:164:170 clock_settime:227:112 adjtimex:159:171
clock_adjtime:305:266 sethostname:170:161 setdomainname:171:162 syslog:103:116 acct:163:89 quotactl:179:60
name_to_handle_at:303:264 open_by_handle_at:304:265 fanotify_init:300:262 personality:135:92 vmsplice:278:75
migrate_pages:256:238 move_pages:279:239 vhangup:153:58 iopl:172:- ioperm:173:- modify_ldt:154:- uselib:134:-
"""
"""name:number on x86_64:number on aarch64 (from the kernel's unistd headers; - where there is no such call)."""
_OWN = """
prlimit64:302:261 sched_setscheduler:144:119 sched_setparam:142:118 sched_setattr:314:274 sched_setaffinity:203:122
"""
"""Calls whose first argument has to be 0: no other process than the caller's."""
# machine: (audit architecture, column above, clone, clone3, socket)
_MACHINES = {
    "x86_64": (0xC000003E, 0, 56, 435, 41),
    "aarch64": (0xC00000B7, 1, 220, 435, 198),
}
MACHINES = tuple(_MACHINES)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF: ld abs, jeq, jge, jset, ret
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS, _AF_UNIX = 1, 38, 1
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data (little-endian: the low half)
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET


def program(machine: str = "") -> bytes:
    """The filter as an array of ``struct sock_filter``, for this machine's architecture or another of ``MACHINES``."""
    audit, column, clone, clone3, socket = _MACHINES[machine or platform.machine()]
    code: list[tuple[int, int, int, int]] = []

    def when(test: int, value: int, action: int) -> None:
        """``action`` if the loaded word passes the test, else on to the next."""
        code.extend([(test, 0, 1, value), (_RETURN, 0, 0, action)])

    def when_argument(call: int, test: int, value: int, *, passes: bool) -> None:
        """EPERM for ``call`` if its first argument passes the test, or if it does not."""
        code.append((_EQUAL, 0, 3, call))
        code.append((_LOAD, 0, 0, _FIRST_ARGUMENT))
        code.append((test, 0 if passes else 1, 1 if passes else 0, value))
        code.append((_RETURN, 0, 0, _ERRNO | _EPERM))
        code.append((_LOAD, 0, 0, _NUMBER))

    code.append((_LOAD, 0, 0, _ARCHITECTURE))
    code.extend([(_EQUAL, 1, 0, audit), (_RETURN, 0, 0, _KILL)])
    code.append((_LOAD, 0, 0, _NUMBER))
    when(_AT_LEAST, 0x40000000, _ERRNO | _ENOSYS)  # the x32 calls
    when(_EQUAL, clone3, _ERRNO | _ENOSYS)
    when_argument(clone, _ANY_BIT, _NEW_NAMESPACES, passes=True)
    when_argument(socket, _EQUAL, _AF_UNIX, passes=False)
    for word in _OWN.split():
        when_argument(int(word.split(":")[1 + column]), _EQUAL, 0, passes=False)
    for word in _DENIED.split():
        number = word.split(":")[1 + column]
        if number != "-":
            when(_EQUAL, int(number), _ERRNO | _EPERM)
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *each) for each in code)
