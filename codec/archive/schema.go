package archive

import "fmt"

// schema reads the schema and checks the columns in it. It reports whether there
// are others.
func (t *thrift) schema() (others bool, err error) {
	var found [numColumns]bool
	nested := 0 // elements that are below a column that is not one of ours
	t.list(func(i, _ int, typ byte) {
		if typ != thriftStruct {
			t.fail()
			return
		}
		e := t.schemaElement()
		switch {
		case i == 0:
			return // the root
		case nested > 0:
			nested += e.children - 1
			return
		}
		nested = e.children
		known := false
		for c := range columns {
			want := &columns[c]
			if e.name != want.name {
				continue
			}
			known = true
			switch {
			case found[c]:
				err = FormatError(fmt.Sprintf("column %s twice", want.name))
			case e.children > 0 || e.kind != want.kind || e.optional != want.optional || e.repeated:
				err = FormatError(fmt.Sprintf("column %s is of another type", want.name))
			case column(c) == colTime && !e.millis:
				err = FormatError(fmt.Sprintf("column %s is not a timestamp in milliseconds", want.name))
			}
			found[c] = true
		}
		others = others || !known
	})
	for c, ok := range found {
		if !ok && err == nil && !t.failed {
			err = FormatError(fmt.Sprintf("no column %s", columns[c].name))
		}
	}
	return others, err
}

// A schemaElement is a column or a group of columns.
type schemaElement struct {
	name               string
	kind, children     int
	optional, repeated bool
	millis             bool
}

func (t *thrift) schemaElement() (e schemaElement) {
	const timestampMillis = 9
	e.kind = -1
	t.fields(func(id int, typ byte) {
		switch {
		case id == 1 && typ == thriftI32:
			e.kind = t.small()
		case id == 3 && typ == thriftI32:
			r := t.small()
			e.optional, e.repeated = r == 1, r > 1
		case id == 4 && typ == thriftBinary:
			e.name = string(t.binary())
		case id == 5 && typ == thriftI32:
			e.children = t.small()
		case id == 6 && typ == thriftI32:
			e.millis = e.millis || t.small() == timestampMillis
		case id == 10 && typ == thriftStruct:
			e.millis = t.logicalMillis() || e.millis
		default:
			t.skip(typ)
		}
	})
	return e
}

// logicalMillis reads a logical type and reports whether it is a timestamp in
// milliseconds.
func (t *thrift) logicalMillis() (millis bool) {
	t.fields(func(id int, typ byte) {
		if id != 8 || typ != thriftStruct {
			t.skip(typ)
			return
		}
		t.fields(func(id int, typ byte) {
			if id != 2 || typ != thriftStruct {
				t.skip(typ)
				return
			}
			t.fields(func(id int, typ byte) { // a union of units
				millis = id == 1
				t.skip(typ)
			})
		})
	})
	return millis
}
