#include "textflag.h"

// The constants of stage.go.
#define BASE     0x10000000
#define MAPLEN   0x400000
#define HEADER   64
#define RECORD   64
#define IGNORE   0x10000
#define SPAWN    0x20000
#define REAP     0x40000
#define INDIRECT 0x80000

#define SYS_write      1
#define SYS_mmap       9
#define SYS_munmap     11
#define SYS_clone      56
#define SYS_execve     59
#define SYS_exit       60
#define SYS_wait4      61
#define SYS_exit_group 231

// func stageAddr() unsafe.Pointer
TEXT ·stageAddr(SB),NOSPLIT,$0-8
	LEAQ ·stage(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func stage()
//
// The entry point of a process of its own: no stack frame, no Go. It must be
// position independent and must not refer to any symbol, because its bytes run
// elsewhere. A system call changes only AX, CX and R11.
//
// R14: the stack as the kernel left it. BX: the current record.
// R12: the app's process id. R13: the status descriptor.
TEXT ·stage(SB),NOSPLIT|NOFRAME,$0-0
	MOVQ SP, R14
	CMPQ 0(R14), $2
	JLT  mapped            // no argument: the program is part of the executable

	// mmap(BASE, MAPLEN, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, fd, 0)
	MOVQ    16(R14), AX
	MOVBLZX (AX), R8
	SUBL    $0x30, R8
	MOVL    $BASE, DI
	MOVL    $MAPLEN, SI
	MOVL    $3, DX
	MOVL    $0x12, R10
	XORL    R9, R9
	MOVL    $SYS_mmap, AX
	SYSCALL
	MOVL    $126, DI
	CMPQ    AX, $BASE
	JNE     exit

mapped:
	MOVL $BASE, CX
	MOVQ 0(CX), R13
	LEAQ HEADER(CX), BX

step:
	MOVL  4(BX), CX
	MOVQ  8(BX), DI
	MOVQ  16(BX), SI
	MOVQ  24(BX), DX
	MOVQ  32(BX), R10
	MOVQ  40(BX), R8
	MOVQ  48(BX), R9
	TESTL $SPAWN, CX
	JNE   spawn
	TESTL $REAP, CX
	JNE   reap
	TESTL $INDIRECT, CX
	JEQ   call
	MOVQ  (DI), DI

call:
	MOVL  0(BX), AX
	SYSCALL
	CMPQ  AX, $-4095
	JCC   failed
	MOVQ  56(BX), CX
	TESTQ CX, CX
	JEQ   next
	MOVQ  AX, (CX)

next:
	ADDQ $RECORD, BX
	JMP  step

failed:
	TESTL $IGNORE, 4(BX)
	JNE   next
	NEGL  AX

	// Report {step, errno in AX} and end.
report:
	MOVL 4(BX), CX
	ANDL $0xffff, CX
	MOVL CX, -16(R14)
	MOVL AX, -12(R14)
	MOVQ R13, DI
	LEAQ -16(R14), SI
	MOVL $8, DX
	MOVL $SYS_write, AX
	SYSCALL
	MOVL $126, DI

exit:
	MOVL $SYS_exit_group, AX
	SYSCALL
	BYTE $0x0f; BYTE $0x0b // not reached

	// clone(CLONE_VM|CLONE_VFORK|SIGCHLD): we go on when the child has executed
	// the app or has ended. It shares our memory, so its error is left there.
spawn:
	MOVL  $0x4111, DI
	XORL  SI, SI
	XORL  DX, DX
	XORL  R10, R10
	XORL  R8, R8
	MOVL  $SYS_clone, AX
	SYSCALL
	TESTQ AX, AX
	JEQ   child
	CMPQ  AX, $-4095
	JCC   failed
	MOVQ  AX, R12
	MOVQ  56(BX), AX
	TESTQ AX, AX
	JEQ   next
	JMP   report

child:
	MOVQ 8(BX), DI
	MOVQ 16(BX), SI
	MOVQ 24(BX), DX
	MOVL $SYS_execve, AX
	SYSCALL
	NEGQ AX
	MOVQ AX, 56(BX)
	MOVL $126, DI
	MOVL $SYS_exit, AX
	SYSCALL
	BYTE $0x0f; BYTE $0x0b // not reached

reap:
	MOVL $BASE, DI
	MOVL $MAPLEN, SI
	MOVL $SYS_munmap, AX
	SYSCALL
	MOVL $0xffff, -16(R14)  // StepStarted
	MOVL $0, -12(R14)
	MOVQ R13, DI
	LEAQ -16(R14), SI
	MOVL $8, DX
	MOVL $SYS_write, AX
	SYSCALL

	// wait4(-1, &status, 0, nil) until the app itself is among the dead.
wait:
	MOVQ $-1, DI
	LEAQ -12(R14), SI
	XORL DX, DX
	XORL R10, R10
	MOVL $SYS_wait4, AX
	SYSCALL
	CMPQ AX, R12
	JEQ  ended
	CMPQ AX, $-10          // ECHILD, which cannot be before the app ended
	JNE  wait
	MOVL $126, DI
	JMP  exit

ended:
	MOVL $0xfffe, -16(R14)  // StepEnded
	MOVQ R13, DI
	LEAQ -16(R14), SI
	MOVL $8, DX
	MOVL $SYS_write, AX
	SYSCALL
	MOVL  -12(R14), CX
	MOVL  CX, DI
	SHRL  $8, DI
	ANDL  $0xff, DI
	ANDL  $0x7f, CX
	JEQ   exit
	LEAL  128(CX), DI
	JMP   exit

	// endMark of code_amd64.go.
	BYTE $0x0f; BYTE $0x0b; BYTE $0x0f; BYTE $0x0b
	BYTE $'e'; BYTE $'n'; BYTE $'d'; BYTE $' '
	BYTE $'o'; BYTE $'f'; BYTE $' '
	BYTE $'s'; BYTE $'t'; BYTE $'a'; BYTE $'g'; BYTE $'e'
