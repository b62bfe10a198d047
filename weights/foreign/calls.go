package foreign

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/coclico/coclico/weights"
)

// The functions that a pickle may name, besides those of storages.
const (
	orderedDict      global = "collections.OrderedDict"
	rebuildTensor    global = "torch._utils._rebuild_tensor_v2"
	rebuildParameter global = "torch._utils._rebuild_parameter"
)

// storages are the types of storages.
var storages = map[global]weights.DType{
	"torch.FloatStorage": weights.F32, "torch.HalfStorage": weights.F16, "torch.BFloat16Storage": weights.BF16, "torch.DoubleStorage": weights.F64,
	"torch.LongStorage": weights.I64, "torch.IntStorage": weights.I32, "torch.ShortStorage": weights.I16, "torch.CharStorage": weights.I8,
	"torch.ByteStorage": weights.U8, "torch.BoolStorage": weights.Bool,
}

// global pushes the name of a function or a class that describes tensors.
func (m *machine) global(op byte) error {
	read := m.lines
	if op == 0x93 {
		read = m.names
	}
	module, name, err := read()
	if err != nil {
		return err
	}
	g := global(module + "." + name)
	if _, ok := storages[g]; !ok && g != orderedDict && g != rebuildTensor && g != rebuildParameter {
		return fmt.Errorf("the pickle calls %s, which no tensor needs: the file is refused: save a plain dictionary of tensors, torch.save({k: v.detach() for k, v in model.state_dict().items()}, FILE)", show(string(g)))
	}
	m.push(g)
	return nil
}

// lines reads GLOBAL's two lines.
func (m *machine) lines() (module, name string, err error) {
	for _, word := range []*string{&module, &name} {
		n := strings.IndexByte(string(m.in[:min(len(m.in), 256)]), '\n')
		if n < 0 {
			return "", "", errTruncated
		}
		*word = string(m.in[:n])
		m.in = m.in[n+1:]
	}
	return module, name, nil
}

// names pops STACK_GLOBAL's two strings.
func (m *machine) names() (module, name string, err error) {
	words, err := m.pop(2)
	if err != nil {
		return "", "", err
	}
	module, ok1 := words[0].(string)
	name, ok2 := words[1].(string)
	if !ok1 || !ok2 {
		return "", "", errPickle
	}
	return module, name, nil
}

// reduce describes the result of a call.
func (m *machine) reduce() error {
	call, err := m.pop(2)
	if err != nil {
		return err
	}
	args, ok := call[1].(tuple)
	switch {
	case call[0] == orderedDict && ok && len(args) == 0:
		m.push(&dict{})
		return nil
	case call[0] == rebuildTensor && ok:
		t, err := newTensor(args)
		if err == nil {
			m.push(t)
		}
		return err
	case call[0] == rebuildParameter && ok && len(args) == 3: // data, requires_grad, hooks
		t, ok := args[0].(*tensor)
		if !ok {
			return errPickle
		}
		m.push(t)
		return nil
	}
	return errPickle
}

// newTensor reads _rebuild_tensor_v2(storage, offset, shape, stride,
// requires_grad, hooks, metadata). The metadata may say that the values are
// others than those of the storage, such as their negatives.
func newTensor(args tuple) (*tensor, error) {
	if len(args) < 4 || len(args) > 7 {
		return nil, errPickle
	}
	if len(args) == 7 {
		switch d, ok := args[6].(*dict); {
		case !ok && args[6] != nil:
			return nil, errPickle
		case ok && len(d.keys) > 0:
			return nil, errors.New("a tensor is stored with metadata, which is not supported: save v.detach().resolve_neg() of each tensor v")
		}
	}
	s, ok1 := args[0].(storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := integers(args[2])
	stride, ok4 := integers(args[3])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, errPickle
	}
	return &tensor{s, offset, shape, stride}, nil
}

func integers(v any) ([]int64, bool) {
	t, ok := v.(tuple)
	if !ok || len(t) > maxRank {
		return nil, false
	}
	x := make([]int64, len(t))
	for i, v := range t {
		if x[i], ok = v.(int64); !ok {
			return nil, false
		}
	}
	return x, true
}

// build skips the attributes of a dictionary, such as a state_dict's _metadata.
func (m *machine) build() error {
	if _, err := m.pop(1); err != nil {
		return err
	}
	if _, ok := m.top().(*dict); !ok {
		return errPickle
	}
	return nil
}

// persistent reads ("storage", type, key, place, count).
func (m *machine) persistent() error {
	id, err := m.pop(1)
	if err != nil {
		return err
	}
	t, ok := id[0].(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		return errPickle
	}
	g, ok1 := t[1].(global)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	dtype, ok4 := storages[g]
	if !ok1 || !ok2 || !ok3 || !ok4 || count < 0 {
		return errPickle
	}
	m.push(storage{dtype, key, count})
	return nil
}

// String names a storage for messages.
func (s storage) String() string { return "storage " + strconv.Quote(s.key) }
