package foreign

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/coclico/coclico/weights"
)

// The values of a pickle are nil, bool, int64, float64, string, tuple, *list,
// *dict, global, storage and *tensor.
type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ keys, values []any }
	global string // MODULE.NAME

	// A storage is the data of one or several tensors: an entry of the archive.
	storage struct {
		dtype weights.DType
		key   string
		count int64 // elements
	}

	// A tensor is a view of a storage, in elements.
	tensor struct {
		storage       storage
		offset        int64
		shape, stride []int64
	}
)

// mark is what MARK leaves on the stack.
type mark struct{}

// A machine runs a pickle.
type machine struct {
	in    []byte
	stack []any
	memo  map[uint32]any
}

var (
	errPickle    = errors.New("bad pickle")
	errTruncated = errors.New("bad pickle: truncated")
)

// unpickle returns the value that a pickle describes. The memory that it takes
// is proportional to the pickle's length: every instruction makes at most one
// value, and what it refers to is shared.
func unpickle(data []byte) (any, error) {
	m := &machine{in: data, memo: make(map[uint32]any)}
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, err
		}
		if op[0] == '.' { // STOP
			if len(m.stack) != 1 {
				return nil, errPickle
			}
			return m.stack[0], nil
		}
		if err := m.step(op[0]); err != nil {
			return nil, err
		}
	}
}

// step runs one instruction.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		v, err := m.take(1)
		if err == nil && v[0] > 5 {
			err = fmt.Errorf("bad pickle: protocol %d", v[0])
		}
		return err
	case 0x95: // FRAME
		_, err := m.take(8) // how much Python reads at a time
		return err
	case 'c', 0x93: // GLOBAL, STACK_GLOBAL
		return m.global(op)
	case 'N': // NONE
		m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		m.push(op == 0x88)
	case 'K', 'M', 'J', 0x8a, 'G', 'X', 0x8c: // a literal
		return m.literal(op)
	case 'q', 'r', 0x94, 'h', 'j': // a place in the memo
		return m.remember(op)
	case '(': // MARK
		m.push(mark{})
	case ')': // EMPTY_TUPLE
		m.push(tuple{})
	case ']': // EMPTY_LIST
		m.push(&list{})
	case '}': // EMPTY_DICT
		m.push(&dict{})
	case 't': // TUPLE
		items, err := m.popMark()
		if err == nil {
			m.push(tuple(items))
		}
		return err
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := m.pop(int(op-0x85) + 1)
		if err == nil {
			m.push(tuple(items))
		}
		return err
	case 'a', 'e': // APPEND, APPENDS
		return m.appendItems(op == 'e')
	case 's', 'u': // SETITEM, SETITEMS
		return m.setItems(op == 'u')
	case 'R': // REDUCE
		return m.reduce()
	case 'b': // BUILD
		return m.build()
	case 'Q': // BINPERSID
		return m.persistent()
	default:
		return fmt.Errorf("bad pickle: instruction 0x%02x is not one that describes tensors", op)
	}
	return nil
}

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.in) {
		return nil, errTruncated
	}
	b := m.in[:n]
	m.in = m.in[n:]
	return b, nil
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// pop returns the topmost n values in a slice of their own.
func (m *machine) pop(n int) ([]any, error) {
	if len(m.stack) < n {
		return nil, errPickle
	}
	items := append([]any(nil), m.stack[len(m.stack)-n:]...)
	m.stack = m.stack[:len(m.stack)-n]
	for _, v := range items {
		if v == (mark{}) {
			return nil, errPickle
		}
	}
	return items, nil
}

// popMark returns the values above the topmost mark, and removes the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items, err := m.pop(len(m.stack) - i - 1)
			m.stack = m.stack[:i]
			return items, err
		}
	}
	return nil, errPickle
}

// literal pushes an integer, a float or a string.
func (m *machine) literal(op byte) error {
	width := map[byte]int{'K': 1, 'M': 2, 'J': 4, 0x8a: 1, 'G': 8, 'X': 4, 0x8c: 1}[op]
	b, err := m.take(width)
	if err != nil {
		return err
	}
	switch op {
	case 'K': // BININT1
		m.push(int64(b[0]))
	case 'M': // BININT2
		m.push(int64(binary.LittleEndian.Uint16(b)))
	case 'J': // BININT
		m.push(int64(int32(binary.LittleEndian.Uint32(b))))
	case 'G': // BINFLOAT
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	case 0x8a: // LONG1: little-endian, two's complement
		digits, err := m.take(int(b[0]))
		if err != nil {
			return err
		}
		if len(digits) > 8 {
			return errors.New("bad pickle: an integer of more than 64 bits")
		}
		v := int64(0)
		for i, d := range digits {
			v |= int64(d) << (8 * i)
		}
		shift := 64 - 8*len(digits)
		m.push(v << shift >> shift)
	case 'X', 0x8c: // BINUNICODE, SHORT_BINUNICODE
		s, err := m.take(int(min(littleEndian(b), math.MaxInt32)))
		if err != nil {
			return err
		}
		m.push(string(s))
	}
	return nil
}

// littleEndian returns the number of at most four bytes.
func littleEndian(b []byte) uint32 {
	var four [4]byte
	copy(four[:], b)
	return binary.LittleEndian.Uint32(four[:])
}

// remember runs BINPUT, LONG_BINPUT, MEMOIZE, BINGET and LONG_BINGET.
func (m *machine) remember(op byte) error {
	width := map[byte]int{'q': 1, 'r': 4, 0x94: 0, 'h': 1, 'j': 4}[op]
	b, err := m.take(width)
	if err != nil {
		return err
	}
	i := littleEndian(b)
	if op == 0x94 {
		i = uint32(len(m.memo))
	}
	if op == 'h' || op == 'j' {
		v, ok := m.memo[i]
		if !ok {
			return errPickle
		}
		m.push(v)
		return nil
	}
	if len(m.stack) == 0 || m.stack[len(m.stack)-1] == (mark{}) {
		return errPickle
	}
	m.memo[i] = m.stack[len(m.stack)-1]
	return nil
}

func (m *machine) appendItems(many bool) error {
	items, err := m.items(many, 1)
	if err != nil {
		return err
	}
	l, ok := m.top().(*list)
	if !ok {
		return errPickle
	}
	l.items = append(l.items, items...)
	return nil
}

func (m *machine) setItems(many bool) error {
	items, err := m.items(many, 2)
	if err != nil {
		return err
	}
	d, ok := m.top().(*dict)
	if !ok || len(items)%2 != 0 {
		return errPickle
	}
	for i := 0; i < len(items); i += 2 {
		d.keys = append(d.keys, items[i])
		d.values = append(d.values, items[i+1])
	}
	return nil
}

// items pops the values above a mark, or n.
func (m *machine) items(many bool, n int) ([]any, error) {
	if many {
		return m.popMark()
	}
	return m.pop(n)
}

func (m *machine) top() any {
	if len(m.stack) == 0 {
		return nil
	}
	return m.stack[len(m.stack)-1]
}
