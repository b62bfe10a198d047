//go:build !purego

#include "textflag.h"

// func prefetchT1(p unsafe.Pointer, n int)
TEXT ·prefetchT1(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), CX

line:
	PREFETCHT1 (SI)
	ADDQ $64, SI
	SUBQ $64, CX
	JG   line
	RET
