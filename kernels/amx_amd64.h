// The AMX instructions, which the Go assembler lacks, as bytes: Intel SDM
// volume 2, chapter 3 (LDTILECFG .. TILEZERO) and volume 1, chapter 18.
//
// All have a three-byte VEX prefix: C4, then R X B (inverted: 1 for registers
// below 8) with opcode map 2, then W vvvv (inverted) L pp. Tiles are T0..T7.
// Memory operands are base + index*1, with base and index among AX CX DX BX SI
// DI, numbers 0 1 2 3 6 7.

#define RAX 0
#define RCX 1
#define RDX 2
#define RBX 3
#define RSI 6
#define RDI 7

// LDTILECFG [base]: VEX.128.NP.0F38.W0 49 /0
#define LDTILECFG(base) BYTE $0xC4; BYTE $0xE2; BYTE $0x78; BYTE $0x49; BYTE $base

// TILERELEASE: VEX.128.NP.0F38.W0 49 C0
#define TILERELEASE BYTE $0xC4; BYTE $0xE2; BYTE $0x78; BYTE $0x49; BYTE $0xC0

// TILEZERO t: VEX.128.F2.0F38.W0 49 11:t:000
#define TILEZERO(t) BYTE $0xC4; BYTE $0xE2; BYTE $0x7B; BYTE $0x49; BYTE $(0xC0+8*t)

// TILELOADD t, [base + index + disp32]: VEX.128.F2.0F38.W0 4B /r, SIB
#define TILELOADD(t, base, index, disp) BYTE $0xC4; BYTE $0xE2; BYTE $0x7B; BYTE $0x4B; BYTE $(0x84+8*t); BYTE $(8*index+base); LONG $disp

// TILELOADDT1 is TILELOADD for lines that will not be needed again soon:
// VEX.128.66.0F38.W0 4B /r, SIB
#define TILELOADDT1(t, base, index, disp) BYTE $0xC4; BYTE $0xE2; BYTE $0x79; BYTE $0x4B; BYTE $(0x84+8*t); BYTE $(8*index+base); LONG $disp

// TILESTORED [base + index + disp32], t: VEX.128.F3.0F38.W0 4B /r, SIB
#define TILESTORED(t, base, index, disp) BYTE $0xC4; BYTE $0xE2; BYTE $0x7A; BYTE $0x4B; BYTE $(0x84+8*t); BYTE $(8*index+base); LONG $disp

// TDPBF16PS c, a, b: c += a*b. VEX.128.F3.0F38.W0 5C 11:c:a, vvvv = b
#define TDPBF16PS(c, a, b) BYTE $0xC4; BYTE $0xE2; BYTE $(0x7A-8*b); BYTE $0x5C; BYTE $(0xC0+8*c+a)

// tileConfig: palette 1; eight tiles of 16 rows of 64 bytes.
DATA tileConfig<>+0(SB)/8, $1
DATA tileConfig<>+8(SB)/8, $0
DATA tileConfig<>+16(SB)/8, $0x0040004000400040
DATA tileConfig<>+24(SB)/8, $0x0040004000400040
DATA tileConfig<>+32(SB)/8, $0
DATA tileConfig<>+40(SB)/8, $0
DATA tileConfig<>+48(SB)/8, $0x1010101010101010
DATA tileConfig<>+56(SB)/8, $0
GLOBL tileConfig<>(SB), RODATA|NOPTR, $64
