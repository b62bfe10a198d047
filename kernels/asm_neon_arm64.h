// Vector float instructions that the Go assembler lacks, on four float32 unless
// specified otherwise. Operands are register numbers in Go's order, with the
// destination last: FSUB(m, n, d) is Vd = Vn - Vm.
//
// The encodings are from the Arm Architecture Reference Manual (DDI 0487),
// section C7.2, with Q = 1 for 128 bits and sz = 0 for single precision:
//
//	three registers  0 Q U 01110 x sz 1 Rm opcode:5 1 Rn Rd
//	three, extra     0 Q U 01110 x sz 0 Rm 1 opcode:4 1 Rn Rd
//	two registers    0 Q U 01110 x sz 10000 opcode:5 10 Rn Rd
//	across lanes     0 Q U 01110 x sz 11000 opcode:5 10 Rn Rd
//	by element       0 Q U 01111 1 sz L M Rm opcode:4 H 0 Rn Rd, index H:L, register M:Rm
//	shift            0 Q U 011110 immh:4 immb:3 opcode:5 1 Rn Rd
//
// In a test binary built from these files, GNU objdump 2.40 disassembles each
// of them as the instruction that it is named after:
//
//	GOARCH=arm64 go test -c ./kernels && aarch64-linux-gnu-objdump -d kernels.test

#define THREE(base, m, n, d) WORD $((base) | (m)<<16 | (n)<<5 | (d))
#define TWO(base, n, d) WORD $((base) | (n)<<5 | (d))

#define FADD(m, n, d)   THREE(0x4E20D400, m, n, d) // U=0 x=0 opcode 11010: d = n + m
#define FSUB(m, n, d)   THREE(0x4EA0D400, m, n, d) // U=0 x=1 opcode 11010: d = n - m
#define FMUL(m, n, d)   THREE(0x6E20DC00, m, n, d) // U=1 x=0 opcode 11011: d = n * m
#define FDIV(m, n, d)   THREE(0x6E20FC00, m, n, d) // U=1 x=0 opcode 11111: d = n / m
#define FMAX(m, n, d)   THREE(0x4E20F400, m, n, d) // U=0 x=0 opcode 11110: NaN if either is
#define FMIN(m, n, d)   THREE(0x4EA0F400, m, n, d) // U=0 x=1 opcode 11110: NaN if either is
#define FADDD2(m, n, d) THREE(0x4E60D400, m, n, d) // FADD with sz=1: two float64

#define FABS(n, d)   TWO(0x4EA0F800, n, d) // U=0 x=1 opcode 01111
#define FCVTNS(n, d) TWO(0x4E21A800, n, d) // U=0 x=0 opcode 11010: to nearest int32, ties to even; NaN to 0
#define SCVTF(n, d)  TWO(0x4E21D800, n, d) // U=0 x=0 opcode 11101: from int32

// FCVTL widens the low half of n, FCVTL2 (Q=1) the high half: U=0 x=0 opcode
// 10111.
#define FCVTL_S(n, d)  TWO(0x0E217800, n, d) // sz=0: float16 to float32
#define FCVTL2_S(n, d) TWO(0x4E217800, n, d)
#define FCVTL_D(n, d)  TWO(0x0E617800, n, d) // sz=1: float32 to float64
#define FCVTL2_D(n, d) TWO(0x4E617800, n, d)

#define FMAXV(n, d)  TWO(0x6E30F800, n, d) // U=1 x=0 opcode 01111: largest lane
#define FADDPD(n, d) TWO(0x7E70D800, n, d) // scalar pairwise, sz=1: sum of two float64

// SSHR shifts int32 right: U=0 opcode 00000, immh:immb = 64 - by.
#define SSHR(by, n, d) TWO(0x4F000400 | (64-(by))<<16, n, d)

// FEAT_BF16 has BFMMLA, for which n and m are 2x4 matrices of bfloat16 in rows
// and d is a 2x2 matrix of float32: d += n mᵀ. BFCVTN narrows float32 to bfloat16,
// into the low half of d, and clears the rest; BFCVTN2 (Q=1) into the high half.
#define BFMMLA(m, n, d) THREE(0x6E40EC00, m, n, d) // extra, U=1 x=0 sz=1 opcode 1101
#define BFCVTN(n, d)    TWO(0x0EA16800, n, d)      // U=0 x=1 opcode 10110
#define BFCVTN2(n, d)   TWO(0x4EA16800, n, d)

// FMLA_LANE: d += n * m[i], opcode 0001.
#define FMLA_LANE(i, m, n, d) THREE(0x4F801000 | ((i)&1)<<21 | ((i)>>1)<<11, m, n, d)
