//go:build !js

package heif

import "errors"

// meter returns a WebAssembly module in which every turn of a loop counts, and
// every period turns call an imported function, which takes a number that is no
// file and whose result is dropped. It gives Go the chance to collect garbage and
// to stop the decoder, which is why wazero has WithCloseOnContextDone; but that
// calls at every turn, and decoding a phone's picture takes 3.5 times as long.
func meter(module []byte, function string, period int32) ([]byte, error) {
	const (
		header                 = 8
		imports, globals, code = 2, 6, 10
	)
	if len(module) < header {
		return nil, errModule
	}
	out := append([]byte(nil), module[:header]...)
	m := &meterer{period: period, call: -1}
	r := &wasmReader{b: module[header:]}
	for len(r.b) > 0 && !r.bad {
		id := r.byte()
		section := &wasmReader{b: r.bytes(int(r.leb()))}
		body := section.b
		switch id {
		case imports:
			m.readImports(section, function)
		case globals:
			n := section.leb()
			m.global = m.importedGlobals + n
			// One more: mutable, of 32 bits, the turns that are left.
			body = append(appendLEB(nil, n+1), section.b...)
			body = append(body, 0x7f, 1, opI32Const)
			body = append(appendSLEB(body, period), opEnd)
		case code:
			if m.call < 0 || m.global == 0 {
				return nil, errModule
			}
			body = m.rewrite(section)
		}
		if section.bad {
			return nil, errModule
		}
		out = append(appendLEB(append(out, id), uint32(len(body))), body...)
	}
	if r.bad {
		return nil, errModule
	}
	return out, nil
}

var errModule = errors.New("heif: not a module that can be metered")

// A meterer knows what a module's indexes stand for.
type meterer struct {
	period                  int32
	call                    int32 // the function's index
	importedGlobals, global uint32
}

func (m *meterer) readImports(r *wasmReader, function string) {
	functions := int32(0)
	for range r.leb() {
		if r.bad {
			return
		}
		r.bytes(int(r.leb())) // the module
		name := string(r.bytes(int(r.leb())))
		switch r.byte() {
		case 0: // function
			r.leb()
			if name == function {
				m.call = functions
			}
			functions++
		case 1: // table
			r.byte()
			r.limits()
		case 2: // memory
			r.limits()
		case 3: // global
			r.bytes(2)
			m.importedGlobals++
		default:
			r.bad = true
		}
	}
}

// Opcodes.
const (
	opLoop     = 0x03
	opEnd      = 0x0b
	opI32Const = 0x41
)

// rewrite adds the count to the functions of a code section.
func (m *meterer) rewrite(r *wasmReader) []byte {
	n := r.leb()
	out := appendLEB(nil, n)
	count := m.count()
	for range n {
		if r.bad {
			return nil
		}
		f := &wasmReader{b: r.bytes(int(r.leb()))}
		whole := f.b
		for range f.leb() { // locals
			if f.bad {
				break
			}
			f.leb()
			f.byte()
		}
		var body []byte
		copied := 0
		for len(f.b) > 0 && !f.bad {
			if f.instruction() == opLoop {
				at := len(whole) - len(f.b)
				body = append(append(body, whole[copied:at]...), count...)
				copied = at
			}
		}
		r.bad = r.bad || f.bad
		body = append(body, whole[copied:]...)
		out = append(appendLEB(out, uint32(len(body))), body...)
	}
	return out
}

// count is the code at the start of a loop:
//
//	left--
//	if left == 0 { f(-1); left = period }
func (m *meterer) count() []byte {
	const get, set, sub, isZero, ifThen, empty, call, drop = 0x23, 0x24, 0x6b, 0x45, 0x04, 0x40, 0x10, 0x1a
	g := appendLEB(nil, m.global)
	b := append([]byte{get}, g...)
	b = append(b, opI32Const, 1, sub, set)
	b = append(append(b, g...), get)
	b = append(append(b, g...), isZero, ifThen, empty, opI32Const, 0x7f, call)
	b = append(appendLEB(b, uint32(m.call)), drop, opI32Const)
	b = append(appendSLEB(b, m.period), set)
	return append(append(b, g...), opEnd)
}

// A wasmReader reads a module. Past the end it returns zeros and remembers it.
type wasmReader struct {
	b   []byte
	bad bool
}

func (r *wasmReader) bytes(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *wasmReader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// leb reads an unsigned integer of 32 bits; of any other it takes the bytes.
func (r *wasmReader) leb() (v uint32) {
	for shift := 0; ; shift += 7 {
		b := r.byte()
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

func (r *wasmReader) lebs(n int) {
	for range n {
		r.leb()
	}
}

func (r *wasmReader) limits() {
	if r.byte()&1 != 0 {
		r.leb()
	}
	r.leb()
}

// instruction reads an instruction with what follows its opcode (WebAssembly
// 2.0, 5.4). Of vector instructions, which these modules do without, it knows
// none.
func (r *wasmReader) instruction() byte {
	switch op := r.byte(); {
	case op == 0x0e: // br_table
		r.lebs(int(min(r.leb(), uint32(len(r.b)))) + 1)
		return op
	case op == 0x1c: // select with types
		r.bytes(int(r.leb()))
		return op
	case op == 0x02, op == 0x03, op == 0x04, op == 0x0c, op == 0x0d, op == 0x10, // blocks, branches, call
		op >= 0x20 && op <= 0x26, op == 0x3f, op == 0x40, // variables, memory.size, memory.grow
		op == 0x41, op == 0x42, op == 0xd0, op == 0xd2: // integers, references
		r.leb()
		return op
	case op == 0x11, op >= 0x28 && op <= 0x3e: // call_indirect; load and store
		r.lebs(2)
		return op
	case op == 0x43:
		r.bytes(4)
		return op
	case op == 0x44:
		r.bytes(8)
		return op
	case op == 0xfc:
		switch sub := r.leb(); {
		case sub <= 7: // saturating conversions
		case sub == 8, sub == 10, sub == 12, sub == 14: // memory.init, memory.copy, table.init, table.copy
			r.lebs(2)
		case sub <= 17:
			r.leb()
		default:
			r.bad = true
		}
		return op
	case op <= 0x01, op == 0x05, op == opEnd, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xc4:
		return op
	default:
		r.bad = true
		return op
	}
}

func appendLEB(b []byte, v uint32) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// appendSLEB appends a signed integer.
func appendSLEB(b []byte, v int32) []byte {
	for v > 0x3f || v < -0x40 {
		b = append(b, byte(v&0x7f)|0x80)
		v >>= 7
	}
	return append(b, byte(v&0x7f))
}
