//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "amx_amd64.h"

// func runAMX(s *strip)
//
// A row tile is 2x2 tiles of C (T0..T3), 32 rows of A (T4, T5) and 32 columns
// of B (T6, T7). One step is 4 loads of 16 lines and 4 products of 16 cycles:
// 64 lines in 64 cycles. So the products hide the loads if these come from L1
// (2 lines per cycle) and nearly hide them if they come from L2 (1 line).
//
// A tile is zeroed after its last product: zeroing needs no register for
// renaming and frees the tile's own before the next load needs one (see
// amxLoops).
//
// Configuration and release are in one TEXT: a goroutine may change threads
// between any two instructions of Go code, but here the operating system saves
// the tiles with the other registers.
TEXT ·runAMX(SB), NOSPLIT, $8-8
	MOVQ s+0(FP), R8
	MOVQ strip_lda(R8), SI
	MOVQ strip_ldc(R8), BX
	MOVQ strip_panels(R8), R14
	MOVQ $64, CX
	MOVQ SI, R12
	SHLQ $4, R12 // 16 rows of A
	LEAQ tileConfig<>(SB), AX
	LDTILECFG(RAX)
	MOVQ strip_b(R8), R10
	MOVQ strip_c(R8), DI

panel:
	MOVQ strip_a(R8), R9 // A of this row tile
	MOVQ strip_tiles(R8), R11
	MOVQ DI, 0(SP)

tile:
	MOVQ strip_steps(R8), R13
	MOVQ strip_n(R8), R15
	CMPB strip_add(R8), $0
	JNE  add
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)
	JMP  step

add:
	MOVQ BX, AX
	SHLQ $4, AX
	ADDQ DI, AX
	TILELOADD(0, RDI, RBX, 0)
	TILELOADD(1, RDI, RBX, 64)
	TILELOADD(2, RAX, RBX, 0)
	TILELOADD(3, RAX, RBX, 64)

step:
	MOVQ step_a(R13), AX
	ADDQ R9, AX
	MOVQ step_b(R13), DX
	ADDQ R10, DX
	TILELOADD(6, RDX, RCX, 0)
	TILELOADD(4, RAX, RSI, 0)
	TILELOADD(7, RDX, RCX, 1024)
	ADDQ R12, AX
	TDPBF16PS(0, 4, 6)
	TILELOADD(5, RAX, RSI, 0)
	TDPBF16PS(1, 4, 7)
	TILEZERO(4)
	TDPBF16PS(2, 5, 6)
	TILEZERO(6)
	TDPBF16PS(3, 5, 7)
	TILEZERO(5)
	TILEZERO(7)
	ADDQ $step__size, R13
	DECQ R15
	JNZ  step

	TILESTORED(0, RDI, RBX, 0)
	TILESTORED(1, RDI, RBX, 64)
	MOVQ BX, AX
	SHLQ $4, AX
	ADDQ AX, DI
	TILESTORED(2, RDI, RBX, 0)
	TILESTORED(3, RDI, RBX, 64)
	ADDQ AX, DI
	LEAQ (R9)(R12*2), R9
	DECQ R11
	JNZ  tile

	ADDQ strip_bNext(R8), R10
	MOVQ 0(SP), DI
	ADDQ strip_cNext(R8), DI
	DECQ R14
	JNZ  panel

	TILERELEASE
	RET

// func runAMXNarrow(s *strip)
//
// The same sums in the same order as in runAMX, with four tiles instead of
// eight: one column of two C tiles at a time (T0, T1), one A (T4) and one B
// (T6). It loads 6 tiles for every 4 of runAMX and is nevertheless the faster
// of the two while something else occupies half of the core's tile registers
// (see amxLoops).
TEXT ·runAMXNarrow(SB), NOSPLIT, $24-8
	MOVQ s+0(FP), R8
	MOVQ strip_lda(R8), SI
	MOVQ strip_ldc(R8), BX
	MOVQ $64, CX
	MOVQ SI, R12
	SHLQ $4, R12 // 16 rows of A
	LEAQ tileConfig<>(SB), AX
	LDTILECFG(RAX)
	MOVQ strip_b(R8), R10
	MOVQ strip_c(R8), DI
	MOVQ strip_panels(R8), AX
	MOVQ AX, 16(SP) // panels

panel:
	MOVQ strip_a(R8), R9 // A of this row tile
	MOVQ strip_tiles(R8), R11
	MOVQ DI, 0(SP)
	MOVQ R10, 8(SP)

tile:
	MOVQ 8(SP), R10 // the first column tile
	MOVQ $2, R14

column:
	MOVQ strip_steps(R8), R13
	MOVQ strip_n(R8), R15
	CMPB strip_add(R8), $0
	JNE  add
	TILEZERO(0)
	TILEZERO(1)
	JMP  step

add:
	MOVQ BX, AX
	SHLQ $4, AX
	ADDQ DI, AX
	TILELOADD(0, RDI, RBX, 0)
	TILELOADD(1, RAX, RBX, 0)

step:
	MOVQ step_a(R13), AX
	ADDQ R9, AX
	MOVQ step_b(R13), DX
	ADDQ R10, DX
	TILELOADD(6, RDX, RCX, 0)
	TILELOADD(4, RAX, RSI, 0)
	ADDQ R12, AX
	TDPBF16PS(0, 4, 6)
	TILEZERO(4)
	TILELOADD(4, RAX, RSI, 0)
	TDPBF16PS(1, 4, 6)
	TILEZERO(4)
	TILEZERO(6)
	ADDQ $step__size, R13
	DECQ R15
	JNZ  step

	TILESTORED(0, RDI, RBX, 0)
	MOVQ BX, AX
	SHLQ $4, AX
	LEAQ (DI)(AX*1), DX
	TILESTORED(1, RDX, RBX, 0)
	ADDQ $64, DI
	ADDQ $1024, R10 // the second column tile
	DECQ R14
	JNZ  column

	LEAQ -128(DI)(AX*2), DI
	LEAQ (R9)(R12*2), R9
	DECQ R11
	JNZ  tile

	MOVQ 8(SP), R10
	ADDQ strip_bNext(R8), R10
	MOVQ 0(SP), DI
	ADDQ strip_cNext(R8), DI
	DECQ 16(SP)
	JNZ  panel

	TILERELEASE
	RET

// func peakAMX(n int)
//
// The products of n steps with nothing to load, whose rate is the peak in the
// benchmarks.
TEXT ·peakAMX(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), R15
	LEAQ tileConfig<>(SB), AX
	LDTILECFG(RAX)
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)
	TILEZERO(4)
	TILEZERO(5)
	TILEZERO(6)
	TILEZERO(7)

peak:
	TDPBF16PS(0, 4, 6)
	TDPBF16PS(1, 4, 7)
	TDPBF16PS(2, 5, 6)
	TDPBF16PS(3, 5, 7)
	DECQ R15
	JNZ  peak
	TILERELEASE
	RET
