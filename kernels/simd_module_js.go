//go:build !purego

package kernels

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// An assembly is WebAssembly code that is being written.
type assembly []byte

// Instructions; see the index of instructions in WebAssembly's specification.
const (
	opLoop     = 0x03
	opEnd      = 0x0b
	opBranchIf = 0x0d
	opGet      = 0x20
	opSet      = 0x21
	opTee      = 0x22
	opLoad     = 0x28 // i32
	opConst    = 0x41 // i32
	opLess     = 0x49 // i32, unsigned
	opAdd      = 0x6a // i32
	opSub      = 0x6b
	opMul      = 0x6c
	opShiftL   = 0x74

	// After 0xfd.
	opVector    = 0xfd
	vLoad       = 0x00
	vLoadSplat  = 0x09 // 32 bits into each lane
	vStore      = 0x0b
	vConst      = 0x0c
	vAdd        = 0xe4 // f32x4
	vMul        = 0xe6
	typeI32     = 0x7f
	typeV128    = 0x7b
	typeNothing = 0x40
)

func (a *assembly) op(bytes ...byte) { *a = append(*a, bytes...) }

// number writes an unsigned number in LEB128.
func (a *assembly) number(n int) { *a = binary.AppendUvarint(*a, uint64(n)) }

func (a *assembly) get(local int) { a.op(opGet); a.number(local) }
func (a *assembly) set(local int) { a.op(opSet); a.number(local) }

// constant pushes a number from 0 to 63, or any multiple of 64 as the signed
// LEB128 that it must be.
func (a *assembly) constant(n int) {
	a.op(opConst)
	for ; n > 63; n >>= 7 {
		a.op(byte(n&127) | 128)
	}
	a.op(byte(n))
}

// load replaces the address on the stack by the number at an offset from it.
func (a *assembly) load(offset int) { a.op(opLoad, 2); a.number(offset) }

// vector writes a vector instruction; those that access memory have an
// alignment, a power of two, and an offset.
func (a *assembly) vector(op int, access ...int) {
	a.op(opVector)
	a.number(op)
	for _, n := range access {
		a.number(n)
	}
}

// section writes a section: its number, its length, its contents.
func (a *assembly) section(id byte, contents assembly) {
	a.op(id)
	a.bytes(contents)
}

func (a *assembly) bytes(b assembly) {
	a.number(len(b))
	a.op(b...)
}

// stripModule returns a module whose function run computes the strip at the
// address that it is given, as runF32(s, 4, 16) does.
func stripModule() []byte {
	name := func(s string) assembly { return append(assembly{byte(len(s))}, s...) }
	m := assembly("\x00asm\x01\x00\x00\x00")
	m.section(1, assembly{1, 0x60, 1, typeI32, 0})                                        // a type: func(i32)
	m.section(2, slices.Concat(assembly{1}, name("go"), name("memory"), []byte{2, 0, 0})) // a memory of any size
	m.section(3, assembly{1, 0})                                                          // a function of that type
	m.section(7, slices.Concat(assembly{1}, name("run"), []byte{0, 0}))                   // which is exported
	code := assembly{1}
	code.bytes(stripCode())
	m.section(10, code)
	return m
}

// The locals of the function. Number 0 is its argument.
const (
	localStrip = iota
	localA
	localLDA
	localB
	localSteps
	localEnd // of the steps
	localC
	localLDC
	localTiles
	localStep
	localPanel // the step's part of B
	localRow   // and of A, a row each
	localSum   = localRow + 4
	localB0    = localSum + 8
	localB1    = localB0 + 1
)

func stripCode() (a assembly) {
	a.op(2) // kinds of locals besides the argument
	a.number(localSum - 1)
	a.op(typeI32)
	a.number(localB1 + 1 - localSum)
	a.op(typeV128)

	var s strip
	for _, field := range []struct {
		local  int
		offset uintptr
	}{
		{localA, unsafe.Offsetof(s.a)}, {localLDA, unsafe.Offsetof(s.lda)}, {localB, unsafe.Offsetof(s.b)}, {localSteps, unsafe.Offsetof(s.steps)},
		{localEnd, unsafe.Offsetof(s.n)}, {localC, unsafe.Offsetof(s.c)}, {localLDC, unsafe.Offsetof(s.ldc)}, {localTiles, unsafe.Offsetof(s.tiles)},
	} {
		a.get(localStrip)
		a.load(int(field.offset)) // the low half: addresses have 32 bits
		a.set(field.local)
	}
	a.get(localSteps) // end = steps + 16 n
	a.get(localEnd)
	a.constant(4)
	a.op(opShiftL, opAdd)
	a.set(localEnd)

	a.op(opLoop, typeNothing) // tiles
	for half := range 2 {
		a.tile(32 * half)
	}
	for _, p := range []struct{ pointer, stride int }{{localA, localLDA}, {localC, localLDC}} {
		a.get(p.pointer) // pointer += 4 stride
		a.get(p.stride)
		a.constant(2)
		a.op(opShiftL, opAdd)
		a.set(p.pointer)
	}
	a.get(localTiles)
	a.constant(1)
	a.op(opSub, opTee)
	a.number(localTiles)
	a.op(opBranchIf, 0, opEnd)
	a.op(opEnd)
	return a
}

// tile writes the code for 4 rows and 8 columns of C, offset bytes from the
// first.
func (a *assembly) tile(offset int) {
	for i := range 8 {
		a.vector(vConst)
		a.op(make([]byte, 16)...)
		a.set(localSum + i)
	}
	a.get(localSteps)
	a.set(localStep)
	a.op(opLoop, typeNothing) // steps
	a.get(localA)             // row 0 = a + step.a, and so on
	a.get(localStep)
	a.load(int(unsafe.Offsetof(step{}.a)))
	a.op(opAdd)
	a.set(localRow)
	for r := 1; r < 4; r++ {
		a.get(localRow + r - 1)
		a.get(localLDA)
		a.op(opAdd)
		a.set(localRow + r)
	}
	a.get(localB)
	a.get(localStep)
	a.load(int(unsafe.Offsetof(step{}.b)))
	a.op(opAdd)
	a.set(localPanel)
	for k := range 16 {
		for j := range 2 {
			a.get(localPanel)
			a.vector(vLoad, 2, 64*k+offset+16*j)
			a.set(localB0 + j)
		}
		for r := range 4 {
			for j := range 2 {
				a.get(localSum + 2*r + j)
				a.get(localRow + r)
				a.vector(vLoadSplat, 2, 4*k)
				a.get(localB0 + j)
				a.vector(vMul)
				a.vector(vAdd)
				a.set(localSum + 2*r + j)
			}
		}
	}
	a.get(localStep)
	a.constant(int(unsafe.Sizeof(step{})))
	a.op(opAdd, opTee)
	a.number(localStep)
	a.get(localEnd)
	a.op(opLess, opBranchIf, 0, opEnd)
	for r := range 4 {
		a.get(localC)
		a.get(localLDC)
		a.constant(r)
		a.op(opMul, opAdd)
		a.set(localRow)
		for j := range 2 {
			a.get(localRow)
			a.get(localSum + 2*r + j)
			a.vector(vStore, 2, offset+16*j)
		}
	}
}
